"""The first page of a reproduction: the measures of an attack side by side, and both words where two attacks differ."""

import math
from dataclasses import replace

from seatbelt_vae.experiments.recipes import RECIPES, Results, Verdict, scale_of
from seatbelt_vae.experiments.recipes.verdicts import Word

from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.reproduction.document import _overview
from seatbelt_vae.report.reproduction.effects import effects_chart
from seatbelt_vae.report.reproduction.figures import figures
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


def effects(*values: float) -> list[Verdict]:
    plain = [verdict("auddc", Word.OPEN, "latent, path", value=value) for value in values]
    return [replace(each, whose="A", condition=f"{place} steps") for place, each in enumerate(plain)]


def test_effects_stand_by_condition_with_their_intervals() -> None:
    chart = effects_chart(effects(0.5, -0.3)).to_dict()
    none, dots = sorted(chart["datasets"].values(), key=len)
    assert none == [{"x": 0.0}]
    assert [(row["condition"], row["x"], round(row["low"], 3)) for row in dots] == [
        ("0 steps", 0.5, 0.4),
        ("1 steps", -0.3, -0.4),
    ]
    ratio = [replace(each, ratio=True) for each in effects(2.0, 0.5)]
    assert effects_chart(ratio).to_dict()["layer"][1]["encoding"]["x"]["scale"]["type"] == "log"


def test_only_what_is_known_under_some_condition_is_drawn() -> None:
    verdicts = [*effects(0.5, math.nan), verdict("auddc", Word.OPEN, "latent, path")]
    results = Results(scale_of("smoke"))
    ((name, caption, svg),) = figures(RECIPES["dependence"], results, (), verdicts)
    assert name == "dependence-effects-chairs-latent-path-auddc"
    assert caption == "chairs, latent, path, effects on AUDDC"
    assert ">0 steps<" in svg
    assert ">1 steps<" not in svg
