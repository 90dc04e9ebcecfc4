"""A reproduction on paper: measures side by side, both words where attacks differ, every cell of every table."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.reproduction import Lines, Section, document, overview, page, tables
from seatbelt_vae.report.reproduction_figures import effects_chart, figures
from seatbelt_vae.report.table import to_markdown
from seatbelt_vae.reproduction import Images, Results, Verdict, Word, recipe, scale_of, title_of

SMOKE = scale_of("smoke")
SPRITES = Images("sprites")
FIG5 = recipe("fig5", SMOKE, SPRITES)


def verdict(measure: str, word: Word, attack: str = "", value: float = 0.5, paper: float | None = None) -> Verdict:
    effect = Interval(value, value - 0.1, value + 0.1)
    return Verdict("It rises", "chairs", attack, measure, effect, False, "", paper, 3, 40, word)


def row(label: str, measure: str, value: float, attack: str = "latent, cold") -> dict[str, object]:
    return {
        "data": "chairs", "attack": attack, "label": label, "model": "beta-tcvae", "family": label, "layers": 1,
        "beta": 1, "measure": measure, "title": title_of(measure), "unit": "nats", "better": "higher", "value": value,
        "low": value - 1, "high": value + 1, "ratio": False, "seeds": 3, "pairs": 40, "paper": 5.0,
    }  # fmt: skip


def written(*verdicts: Verdict) -> Lines:
    return overview([Section(FIG5, [], list(verdicts))])


def cells_of(text: str) -> list[list[int]]:
    """The number of cells of every row of every table of a Markdown text."""
    found: list[list[int]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("|"):
            if not inside:
                found.append([])
            found[-1].append(len(re.findall(r"(?<!\\)\|", line)) - 1)
        inside = line.startswith("|")
    return found


def test_each_measure_has_a_line_and_one_word_for_all_solvers() -> None:
    head, delta, auddc, elbo = written(
        verdict("objective", Word.FAILS, "latent, cold", paper=10.0),
        verdict("objective", Word.FAILS, "latent, continuation", paper=10.0),
        verdict("auddc", Word.HOLDS, "latent, cold"),
        verdict("auddc", Word.OPEN, "latent, continuation", value=0.25),
        verdict("elbo", Word.HOLDS),
    )
    assert {len(line) for line in (head, delta, auddc, elbo)} == {8}
    assert delta[3:] == ["latent", title_of("objective"), "0.50 [0.40, 0.60]", "10.0", "**does not hold**"]
    differ = "(latent, cold: holds; latent, continuation: not decided)"
    assert auddc[3:] == ["latent", "AUDDC", "0.25 [0.15, 0.35]", "", f"**not decided** {differ}"]
    assert elbo[3:5] == ["", "ELBO"]
    assert elbo[-1] == "**holds**"


def test_what_was_not_measured_is_counted() -> None:
    found = [
        verdict("auddc", Word.HOLDS, "output, continuation"),
        verdict("mse", Word.OPEN, value=float("nan")),
    ]
    assert [line[3:] for line in written(*found)[1:]] == [["output", "AUDDC", "0.50 [0.40, 0.60]", "", "**holds**"]]
    text = document([Section(FIG5, [], found)], Results(SMOKE), command="seatbelt", failed={})
    assert "\n1 verdicts more have nothing" in text


def test_every_row_of_every_table_has_every_cell() -> None:
    barred = verdict("target_nll", Word.OPEN, "latent, cold")
    assert "|" in title_of("target_nll")
    others = [verdict("auddc", Word.HOLDS, "latent, cold"), verdict("log_likelihood", Word.HOLDS)]
    rows = [row("VAE", "target_nll", 3.0), row("β-TCVAE", "target_nll", 4.0), row("VAE", "auddc", 0.5)]
    section = Section(FIG5, rows, [barred, *others], tables(FIG5, rows))
    first = document([section], Results(SMOKE), command="seatbelt", failed={})
    for text, count in ((first, 1), (page(section, "seatbelt"), 2)):
        found = cells_of(text)
        assert len(found) == count
        for table in found:
            assert len(table) > 2
            assert len(set(table)) == 1
    assert len(cells_of(to_markdown(section.tables[0]))[0]) == 4


@pytest.mark.parametrize("path", sorted(Path("docs/reproduction").glob("**/*.md")), ids=str)
def test_every_row_of_the_documents_has_every_cell(path: Path) -> None:
    for table in cells_of(path.read_text()):
        assert len(set(table)) == 1


def conditioned(*values: float) -> list[Verdict]:
    plain = [verdict("auddc", Word.OPEN, "latent, continuation", value=value) for value in values]
    return [replace(each, whose="A", condition=f"{place} steps") for place, each in enumerate(plain)]


def effects(*values: float, ratio: bool = False) -> list[dict[str, object]]:
    return [replace(each, ratio=ratio).plain() for each in conditioned(*values)]


def test_effects_stand_by_condition_with_their_intervals() -> None:
    none, _, points = effects_chart(effects(0.5, -0.3))["layer"]
    assert none["data"]["values"] == [{"x": 0.0, "low": 0.0, "high": 0.0}]
    dots = points["data"]["values"]
    assert [(row["condition"], row["x"], round(row["low"], 3)) for row in dots] == [
        ("0 steps", 0.5, 0.4),
        ("1 steps", -0.3, -0.4),
    ]
    ratio = effects_chart(effects(2.0, 0.5, ratio=True))
    assert ratio["layer"][1]["encoding"]["x"]["scale"]["type"] == "log"


def test_only_what_is_known_under_some_condition_is_drawn() -> None:
    verdicts = [*conditioned(0.5, math.nan), verdict("auddc", Word.OPEN, "latent, continuation")]
    made = recipe("dependence", SMOKE, SPRITES)
    ((name, caption, svg),) = figures(made, made.drawings, Results(SMOKE), Images("chairs"), (), verdicts)
    assert name == "dependence-effects-chairs-latent-continuation-auddc"
    assert caption == "chairs, latent, continuation, effects on AUDDC"
    assert ">0 steps<" in svg
    assert ">1 steps<" not in svg
