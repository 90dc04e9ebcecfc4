"""Options are made from the classes that hold the settings; nothing about a setting is written in the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from cyclopts import App, CycloptsError

from seatbelt_vae.cli.kinds import read
from seatbelt_vae.cli.options import Settings, takes
from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import section


@dataclass(frozen=True)
class Latent:
    """An objective.

    Args:
        divergence: between posteriors.
        samples: sets of noise.
    """

    divergence: Literal["kl", "w2"] = "kl"
    samples: int = 0


@dataclass(frozen=True)
class Penalty:
    """A budget.

    Args:
        lambdas: weights of the distortion, or ``paper``.
        samples: points of the grid.
        squared: whether the norm is squared.
    """

    lambdas: str | tuple[float, ...] = "paper"
    samples: int = 4
    squared: bool = False


CLASSES: dict[str, type] = {"latent": Latent, "penalty": Penalty}


def ask(words: str, **tables: type) -> dict[str, Any]:
    """What a command with these tables gets."""
    found: dict[str, Any] = {}

    @takes(**tables)
    def command(run: Path = Path("run"), /, *, seed_of_all: int = 0, **given: Settings) -> None:
        found.update(given)

    app = App(result_action="return_value")
    app.default(command)
    app(words.split(), exit_on_error=False, print_error=False)
    return found


def help_of(**tables: type) -> str:
    @takes(**tables)
    def command(*, json: bool = False, **given: Settings) -> None: ...

    app = App(help_format="plaintext")
    app.default(command)
    from rich.console import Console

    console = Console(width=120, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    app.help_print([], console=console)
    return console.export_text()


def test_a_command_gets_what_was_given_by_table() -> None:
    found = ask("--divergence w2 --lambdas 0,1,10 --squared", attack=section("Table", CLASSES))
    assert found == {"attack": {"divergence": "w2", "lambdas": (0.0, 1.0, 10.0), "squared": True}}
    assert ask("", attack=Latent) == {"attack": {}}


def test_words_stay_words() -> None:
    assert ask("--lambdas paper", attack=Penalty) == {"attack": {"lambdas": "paper"}}


def test_help_has_the_words_of_the_classes_and_their_defaults() -> None:
    assert "weights of the distortion, or paper. [default: paper]" in help_of(budget=Penalty)
    shown = help_of(attack=section("Table", CLASSES, pairs=(int, 10)))
    for part in ("between posteriors (kl).", "[choices: kl, w2]", "--pairs INT", "[default: 10]"):
        assert part in shown
    meanings = " ".join(shown.replace("│", " ").split())
    assert "latent: sets of noise (0). penalty: points of the grid (4)." in meanings


def test_a_new_setting_of_a_class_is_an_option() -> None:
    @dataclass(frozen=True)
    class Wider(Penalty):
        """A budget with more.

        Args:
            margin: how far beyond, in pixels.
        """

        margin: float = 0.5

    table = section("Table", {"latent": Latent, "wider": Wider})
    assert "how far beyond, in pixels (0.5)." in help_of(attack=table)
    found = ask("--margin 0.25", attack=table)["attack"]
    assert table(**found).margin == 0.25  # type: ignore[attr-defined]


def test_of_two_settings_of_a_name_the_second_has_its_table_before_it() -> None:
    found = ask("--samples 3 --budget-samples 5", objective=Latent, budget=Penalty)
    assert found == {"objective": {"samples": 3}, "budget": {"samples": 5}}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("--divergence kk", "kl"),
        ("--samples x", "--samples"),
        ("--lambda 3", "--lambdas"),
        ("--samples", "--samples"),
    ],
)
def test_what_is_mistyped(words: str, part: str) -> None:
    with pytest.raises(CycloptsError) as refused:
        ask(words, attack=section("Table", CLASSES))
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        (tuple[int, ...], "96,48", (96, 48)),
        (tuple[int, ...] | None, "96", (96,)),
        (list[float], "1e-3", (0.001,)),
        (tuple[str, ...] | None, "elbo,noise", ("elbo", "noise")),
        (str | tuple[int, ...] | None, "top", "top"),
        (str | tuple[int, ...] | None, "0,2", (0, 2)),
        (tuple[tuple[int, ...], ...] | None, "0,1/2,3", ((0, 1), (2, 3))),
        (str | Callable[..., Any], "l2-means", "l2-means"),
        (str | None, "0,1", "0,1"),
    ],
)
def test_what_a_word_becomes(kind: Any, word: str, value: Any) -> None:
    assert read(word, kind, "--option") == value


@pytest.mark.parametrize("word", ["1,x", "1,,2", "1,", ",", "1.5"])
def test_what_is_not_a_list_of_whole_numbers(word: str) -> None:
    with pytest.raises(InputError, match=r"--option: .* is not a list of numbers, write them as 0,1,2"):
        read(word, tuple[int, ...], "--option")
