"""Recipes: what they ask for, and what becomes of a claim when the truth is known."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec, ExperimentSpec, RunFolder
from seatbelt_vae.experiments.recipes import RECIPES, Results, Verdict, Word, plan, recipes_of, scale_of, tidy
from seatbelt_vae.experiments.recipes.attacks import attacks, attacks_on, words
from seatbelt_vae.experiments.recipes.findings import gone_under_path
from seatbelt_vae.experiments.recipes.paper import BETAS, CURVES, printed
from seatbelt_vae.experiments.recipes.plan import Plan, estimate_hours
from seatbelt_vae.experiments.recipes.point import Point, of_spec, seatbelt, tcdlgm
from seatbelt_vae.experiments.recipes.quantities import GAINED, clean_value, gained
from seatbelt_vae.experiments.recipes.recipe import common
from seatbelt_vae.experiments.recipes.results import estimate, paired
from seatbelt_vae.experiments.recipes.verdicts import decided, no_more
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.metrics import Interval, geometric_mean

SMOKE = scale_of("smoke")
COLD, PATH = attacks(SMOKE, ("latent",))


class Known(Results):
    """Results whose values are given: seeds × pairs, by model and depth and β, quantity and attack."""

    def __init__(self, values: dict[tuple[Point, str, str], Tensor]) -> None:
        super().__init__(SMOKE)
        self.known = values
        for point, _, _ in values:
            self.runs["sprites", point] = dict.fromkeys(range(3), RunFolder(Path("none"), ExperimentSpec()))

    def seeds(self, data: str, *points: Point, attacks: Any = ()) -> list[int]:
        return list(range(3))

    def values(self, data: str, point: Point, key: str, attack: AttackSpec | None = None, seeds: Any = None) -> Tensor:
        return self.known.get((point, key, attack.solver if attack else ""), torch.empty(0, 0))


def _noisy(mean: float, pairs: int = 40) -> Tensor:
    return mean + 0.01 * torch.randn(3, pairs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_issue_s_list_is_complete() -> None:
    named = "fig1 fig3 fig4 fig5 fig6 fig7 fig8 table1 mig kl-collapse per-layer traversals rotated-heart l2-distances"
    assert [*named.split(), "small-noise", "dependence", "larger"] == list(RECIPES)
    assert recipes_of(["all", "larger"]) == list(RECIPES.values())
    assert recipes_of(["all"]) == [recipe for name, recipe in RECIPES.items() if name != "larger"]
    with pytest.raises(InputError, match="did you mean fig3"):
        recipes_of(["figg3"])
    with pytest.raises(InputError, match="did you mean laptop"):
        scale_of("labtop")


def test_every_run_is_trained_once_for_all_recipes() -> None:
    ours = ("dependence", "larger")
    planned = plan([recipe for recipe in RECIPES.values() if recipe.name not in ours], SMOKE, ["sprites"])
    runs = [run.digest for sweep in planned.sweeps for run in sweep.runs]
    assert len(runs) == len(set(runs)) == planned.runs == 6 * len(SMOKE.seeds)
    assert {of_spec(run, planned.points) for sweep in planned.sweeps for run in sweep.runs} == {
        make(layers, beta) for make, layers in ((seatbelt, 1), (seatbelt, 2), (tcdlgm, 2)) for beta in (1, 10)
    }


# As it is; estimators, free bits, posterior. Examples for the total correlation; steps and size.
@pytest.mark.parametrize(("name", "count"), [("dependence", 3 + 2 * 2 + 3 + 1), ("larger", 3 + 2 * 2 + 2 * 3)])
def test_conditions_add_runs_that_are_told_apart(name: str, count: int) -> None:
    recipe = RECIPES[name]
    planned = plan([recipe], SMOKE, ["sprites"])
    points = recipe.points(SMOKE)
    assert len(points) == count
    for point in points:
        spec = point.spec(SMOKE, "sprites", 0)
        assert of_spec(spec, planned.points) == point
        for setting, value in point.settings:
            table, key = setting.split(".")
            assert getattr(getattr(spec, table), key) == value
    assert len({point.label for point in points}) == len(points)
    assert not recipe.suits("faces3d64", True)


def test_a_condition_is_part_of_the_label() -> None:
    small = Point("seatbelt", 2, 10, (("data.size", 28),))
    assert small.label == "Seatbelt-VAE L=2 β=10, 28×28 pixels"


def test_larger_images_are_estimated_to_take_longer() -> None:
    run = seatbelt(1, 1).spec(SMOKE, "sprites", 0)
    sweeps = [SweepSpec((run.changed(data={"size": size}),)) for size in (SMOKE.size, 64)]
    hours = [estimate_hours(Plan((sweep,)), SMOKE) for sweep in sweeps]
    assert hours[1] == pytest.approx(4 * hours[0])


def test_a_recipe_sees_only_the_data_that_suit_it(tmp_path: Path) -> None:
    runs = {(data, seatbelt(1, 1)): {0: RunFolder(tmp_path, ExperimentSpec())} for data in ("sprites", "faces3d64")}
    results = Results(SMOKE, runs)
    assert results.suited(RECIPES["dependence"].suits).data == ["sprites"]
    assert results.suited(RECIPES["fig3"].suits).data == ["sprites", "faces3d64"]


def test_models_that_claims_compare_get_every_attack() -> None:
    scale = replace(SMOKE, betas=(1, 4, 10))
    assert len(attacks_on(scale, seatbelt(2, 10))) == 4
    assert [words(each) for each in attacks_on(scale, tcdlgm(2, 10))] == ["latent, cold", "latent, path"]
    assert [words(each) for each in attacks_on(scale, seatbelt(2, 4))] == ["latent, path"]
    assert len(attacks_on(replace(scale, everywhere=True), seatbelt(2, 4))) == 4
    assert common(attacks_on, scale, (seatbelt(2, 10), tcdlgm(2, 1))) == attacks(scale, ("latent",))
    thinned = attacks(replace(scale, output_every=2), ("output",))
    assert {each.lambdas for each in thinned} == {(0.1, 10.0)}


def test_what_does_not_suit_the_data_is_not_asked_of_it(images_file: Path) -> None:
    planned = plan(recipes_of(["mig", "rotated-heart", "fig3"]), SMOKE, [str(images_file)])
    assert not planned.hearts
    assert [sweep.evaluate.measures for sweep in planned.sweeps if sweep.evaluate] == [("elbo",)]


def test_the_paper_s_numbers_stand_at_their_points() -> None:
    assert all(len(curve) == len(BETAS) for curves in CURVES.values() for curve in curves.values())
    assert printed("chairs_mesh64", Point("seatbelt", 4, 10), "objective_mean", "latent") == 8e9
    assert printed("faces3d64", Point("beta-tcvae", 1, 6), "elbo") == -3750
    assert printed("chairs", Point("seatbelt", 2, 10), "elbo") is None
    assert printed("sprites", Point("seatbelt", 4, 10), "elbo") is None


def test_a_true_gain_is_found_in_every_measure() -> None:
    low, high = seatbelt(1, 1), seatbelt(1, 10)
    values = {}
    for solver in ("cold", "path"):
        for point, better in ((low, 0.0), (high, 0.3)):
            values[point, "objective", solver] = _noisy(1 + 2 * better)
            values[point, "success_at_0.5", solver] = _noisy(0.6 - better)
            values[point, "auddc", solver] = _noisy(0.4 + better)
    found = [verdict for verdict in RECIPES["fig5"].claims(Known(values)) if verdict.attack.startswith("latent")]
    assert [verdict.word for verdict in found] == [Word.HOLDS] * 6
    ratio = next(verdict for verdict in found if verdict.quantity == "objective")
    assert ratio.effect.value == pytest.approx(1.6, abs=0.02)
    assert (ratio.seeds, ratio.pairs) == (3, 40)


def test_a_loss_does_not_hold_and_nothing_is_not_decided() -> None:
    low, high = seatbelt(1, 1), seatbelt(2, 10)
    for shift, word in ((-0.2, Word.FAILS), (0.0, Word.OPEN)):
        values = {(low, "auddc", "path"): _noisy(0.5), (high, "auddc", "path"): _noisy(0.5).flip(1) + shift}
        verdicts = RECIPES["fig1"].claims(Known(values))
        found = {(verdict.attack, verdict.quantity): verdict for verdict in verdicts}
        assert found["latent, path", "auddc"].word == word
        assert found["latent, cold", "auddc"].reason == "it was not measured on these data"


def test_the_elbo_s_difference_of_differences() -> None:
    elbo = {seatbelt(1, 1): -10.0, seatbelt(1, 10): -50.0, seatbelt(2, 1): -12.0, seatbelt(2, 10): -22.0}
    values = {(point, "elbo", ""): value + torch.tensor([[0.0], [0.1], [0.2]]) for point, value in elbo.items()}
    (verdict,) = RECIPES["fig3"].claims(Known(values))
    assert verdict.effect.value == pytest.approx(30)
    assert verdict.word == Word.HOLDS


def test_ends_of_an_interval_are_possible_but_differences_may_be_negative() -> None:
    rarely = torch.zeros(3, 4)
    rarely[:, 0] = 0.04
    results = Known(
        {(seatbelt(1, 1), "success_at_0.5", "path"): rarely, (seatbelt(1, 10), "success_at_0.5", "path"): 0 * rarely}
    )
    mean = estimate(results, "sprites", {seatbelt(1, 1): 1.0}, "success_at_0.5", PATH)
    less = estimate(results, "sprites", {seatbelt(1, 10): 1.0, seatbelt(1, 1): -1.0}, "success_at_0.5", PATH)
    assert mean.interval.value == pytest.approx(0.01)
    assert mean.interval.low == 0 < mean.interval.high
    assert less.interval.low < -0.01 < 0 < less.interval.high


def test_pairs_without_a_success_are_left_out_of_both() -> None:
    first, second = _noisy(0.5, 4), _noisy(0.7, 4)
    first[1, 2] = math.nan
    results = Known({(seatbelt(1, 1), "auddc", "path"): first, (seatbelt(1, 10), "auddc", "path"): second})
    found = estimate(results, "sprites", {seatbelt(1, 10): 1.0, seatbelt(1, 1): -1.0}, "auddc", PATH)
    assert found.pairs == 3
    assert found.interval.value == pytest.approx(0.2)
    with_cold = Known({**results.known, (seatbelt(1, 1), "auddc", "cold"): first + 0.1})
    assert paired(with_cold, "sprites", seatbelt(1, 1), "auddc", COLD, PATH).interval.value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ends", "size", "seeds", "word"),
    [
        ((1.2, 1.4), None, 3, Word.HOLDS),
        ((1.2, 1.4), 1.3, 3, Word.HOLDS),
        ((1.2, 1.4), 10.0, 3, Word.DIRECTION),
        ((1.2, 1.4), None, 1, Word.DIRECTION),
        ((0.9, 1.4), None, 3, Word.OPEN),
        ((0.7, 0.9), None, 3, Word.FAILS),
        ((math.nan, math.nan), None, 3, Word.OPEN),
    ],
)
def test_words(ends: tuple[float, float], size: float | None, seeds: int, word: Word) -> None:
    interval = Interval(sum(ends) / 2, *ends)
    assert decided(interval, neutral=1, rises=True, size=size, seeds=seeds) == word
    mirrored = Interval(2 - interval.value, 2 - ends[1], 2 - ends[0])
    mirrored_size = None if size is None else 2 - size
    assert decided(mirrored, neutral=1, rises=False, size=mirrored_size, seeds=seeds) == word


def test_no_gain_needs_an_interval_that_is_narrow() -> None:
    assert no_more(Interval(0, -0.2, 0.2), neutral=0, rises=True, margin=0.05) == Word.OPEN
    assert no_more(Interval(-0.3, -0.4, -0.2), neutral=0, rises=True, margin=0.05) == Word.HOLDS
    assert no_more(Interval(-0.3, -0.4, -0.2), neutral=0, rises=False, margin=0.05) == Word.FAILS


def test_a_broken_attack_is_told_from_a_robust_model() -> None:
    def verdict(attack: str, word: Word) -> Verdict:
        return Verdict("c", "d", attack, "auddc", Interval(0, 0, 0), False, "", None, 3, 40, word)

    gone = verdict("latent, cold", Word.HOLDS), verdict("latent, path", Word.OPEN)
    stays = verdict("output, cold", Word.HOLDS), verdict("output, path", Word.DIRECTION)
    assert gone_under_path([*gone, *stays]) == [gone]


def test_what_an_attack_gained_by_pair(trained: RunFolder) -> None:
    from seatbelt_vae.experiments import run_attack

    name = run_attack(trained, AttackSpec.of(pairs=3, lambdas=(0.1, 1.0, 10.0), max_iterations=5), device="cpu")
    result, assessment = trained.attack(name)
    assert isinstance(result, AttackResult)
    found = gained(result, assessment)  # type: ignore[arg-type]
    assert set(found) == set(GAINED)
    assert found["objective"].tolist() == pytest.approx([geometric_mean(row) for row in result.objective])
    target = result.target.flatten(1)
    source = (assessment.source_reconstruction.flatten(1) - target).norm(dim=1)
    for pair in range(3):
        inside = assessment.relative_distortion[pair] <= 0.5  # type: ignore[union-attr]
        best = assessment.success[pair].masked_fill(~inside, -9).argmax()  # type: ignore[union-attr]
        reached = (assessment.adversarial_reconstruction[pair, best].flatten() - target[pair]).norm()
        assert found["to_target"][pair] == pytest.approx(float(reached if inside.any() else source[pair]))


def test_a_missing_measurement_is_no_number() -> None:
    assert math.isnan(clean_value({"noise_scales": [0.1], "noise_drop": [1.0]}, "noise_drop@0.2"))
    assert math.isnan(clean_value({}, "weight_norms.encoder"))
    assert clean_value({"weight_norms": {"encoder": 3.0}}, "weight_norms.encoder") == 3.0


def test_a_recipe_s_rows_are_tidy() -> None:
    values = {(point, "weight_norms.encoder", ""): torch.tensor([[2.0], [8.0]]) for point in (seatbelt(1, 1),)}
    (row,) = tidy(RECIPES["table1"], Known(values))
    assert (row["label"], row["quantity"], row["attack"]) == ("VAE (β=1)", "weight_norms.encoder", "")
    assert row["value"] == pytest.approx(4)  # a geometric mean
