"""The first page of a reproduction: the measures of an attack side by side, and both words where two attacks differ."""

from seatbelt_vae.experiments.recipes import RECIPES, Verdict
from seatbelt_vae.experiments.recipes.verdicts import Word
from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.reproduction.document import _overview
from seatbelt_vae.report.reproduction.write import Section


def verdict(quantity: str, word: Word, attack: str = "", value: float = 0.5, paper: float | None = None) -> Verdict:
    effect = Interval(value, value - 0.1, value + 0.1)
    return Verdict("It rises", "chairs", attack, quantity, effect, False, "", paper, 3, 40, word)


def overview(*verdicts: Verdict) -> list[str]:
    return _overview([Section(RECIPES["fig5"], (), verdicts, (), ())])


def test_the_measures_of_an_attack_stand_side_by_side() -> None:
    lines = overview(
        verdict("objective", Word.FAILS, "latent, cold", paper=10.0),
        verdict("objective", Word.FAILS, "latent, path", paper=10.0),
        verdict("auddc", Word.HOLDS, "latent, cold"),
        verdict("auddc", Word.OPEN, "latent, path", value=0.25),
        verdict("elbo", Word.HOLDS),
    )
    (attacked,) = (line for line in lines if "| latent |" in line)
    assert "the paper 10.0: **does not hold** |" in attacked
    assert "0.25 [0.15, 0.35]: **not decided** (latent, cold: holds; latent, path: not decided) |" in attacked
    head = lines[lines.index(attacked) - 2]
    assert head.count("|") == attacked.count("|") == 7
    (other,) = (line for line in lines if "ELBO" in line)
    assert other.endswith("| **holds** |")


def test_one_measure_keeps_a_line_of_its_own_and_what_was_not_measured_is_counted() -> None:
    lines = overview(verdict("auddc", Word.HOLDS, "output, path"), verdict("mse", Word.OPEN, value=float("nan")))
    assert any("AUDDC, output attack | 0.50 [0.40, 0.60] |  | **holds** |" in line for line in lines)
    assert not any("| attack |" in line for line in lines)
    assert any(line.startswith("1 verdicts more have nothing") for line in lines)
