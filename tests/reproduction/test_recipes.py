"""Recipes: what they ask for, at any scale."""

import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import MEASUREMENTS, SweepSpec
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.reproduction import NAMES, SCALES, Images, estimate_hours, names_of, plan, recipe, scale_of, words
from seatbelt_vae.reproduction.attacks import SHARES, attacks, protocol
from seatbelt_vae.reproduction.claims import shared
from seatbelt_vae.reproduction.paper import PAPER, printed
from seatbelt_vae.reproduction.points import BLEND, Point, named, of_spec, seatbelt

SMOKE = scale_of("smoke")
SPRITES = Images("sprites")
STUDIES = ("dependence", "larger", "robust")


def test_the_issue_s_list_is_complete() -> None:
    paper = "fig1 fig3 fig4 fig5 fig6 fig7 fig8 table1 mig kl-collapse per-layer traversals rotated-heart l2-distances"
    assert (*paper.split(), "small-noise", "dependence", "larger", "robust") == NAMES
    assert names_of(["all", "larger", "robust"]) == NAMES
    assert names_of(["all"]) == NAMES[:-2]
    with pytest.raises(InputError, match="did you mean fig3"):
        names_of(["figg3"])
    with pytest.raises(InputError, match="did you mean laptop"):
        scale_of("labtop")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_recipe_names_exists_at_every_scale(name: str, scale: str) -> None:
    made = recipe(name, scale_of(scale), Images("chairs"))
    assert set(made.evaluate) <= set(MEASUREMENTS)
    for key in (*made.shown, *(key for _, *keys in made.drawings for key in keys)):
        measure_of(key)
    for claim in made.claims:
        assert set(claim.weights) <= set(made.runs)
        assert sum(claim.weights.values()) * sum((claim.attacks or {None: 1.0}).values()) == 0
        if claim.attacks is None and measure_of(claim.measures[0]).kind != "run":
            assert shared(made.runs, list(claim.weights))


def test_the_package_has_its_tables() -> None:
    for name in ("scales.toml", "paper.toml", "recipes.toml"):
        assert tomllib.loads(files("seatbelt_vae.reproduction").joinpath(name).read_text("utf-8"))


def test_every_run_is_trained_once_for_all_recipes() -> None:
    planned = plan([name for name in NAMES if name not in STUDIES], SMOKE, ["sprites"])
    runs = [run.digest for sweep in planned.sweeps for run in sweep.runs]
    assert len(runs) == len(set(runs)) == planned.runs == 6 * len(SMOKE.seeds)
    names = named(SMOKE)
    assert {of_spec(run, planned.points) for sweep in planned.sweeps for run in sweep.runs} == {
        names[name] for name in ("vae", "tcvae", "deep", "seatbelt", "dlgm", "tcdlgm")
    }


# As it is; estimators, free bits, posterior. Examples for the total correlation; steps, size. Three models in six ways.
@pytest.mark.parametrize(
    ("name", "count"), [("dependence", 3 + 2 * 2 + 3 + 1), ("larger", 3 + 2 * 2 + 2 * 3), ("robust", 3 * 6 + 1)]
)
def test_conditions_add_runs_that_are_told_apart(name: str, count: int) -> None:
    planned = plan([name], SMOKE, ["sprites"])
    points = list(recipe(name, SMOKE, SPRITES).runs)
    assert len(points) == count
    assert len({point.label for point in points}) == count
    for point in points:
        if point == BLEND:
            continue
        spec = point.spec(SMOKE, "sprites", 0)
        assert of_spec(spec, planned.points) == point
        for setting, value in point.settings:
            table, key = setting.split(".")
            assert getattr(getattr(spec, table), key) == value


def test_one_kind_of_images_is_enough_for_what_depends() -> None:
    for name in ("dependence", "larger"):
        assert not recipe(name, SMOKE, Images("faces3d64")).suits
        assert recipe(name, SMOKE, SPRITES).suits
    assert recipe("fig3", SMOKE, Images("faces3d64")).suits


def test_a_condition_is_part_of_the_label() -> None:
    small = Point("seatbelt", 2, 10, (("data.size", 28),))
    assert small.label == "Seatbelt-VAE L=2 β=10, 28×28 pixels"


def test_larger_images_and_robust_training_are_estimated_to_take_longer() -> None:
    planned = plan(["fig3"], SMOKE, ["sprites"])
    run = seatbelt(1, 1).spec(SMOKE, "sprites", 0)
    others = run, run.changed(data={"size": 64}), run.changed(robust={"method": "adversarial", "radius": 0.1})
    hours = [estimate_hours(replace(planned, sweeps=(SweepSpec((each,)),))) for each in others]
    assert hours[1] == pytest.approx(4 * hours[0])
    assert hours[2] == pytest.approx(3 * hours[0])


def test_models_that_claims_compare_get_every_attack() -> None:
    scale = replace(SMOKE, betas=(1, 4, 10))
    tcdlgm = named(scale)["tcdlgm"]
    known = attacks(scale, SPRITES)
    assert len(protocol(scale, seatbelt(2, 10))) == 4
    assert [words(known[name]) for name in protocol(scale, tcdlgm)] == ["latent, cold", "latent, continuation"]
    assert [words(known[name]) for name in protocol(scale, seatbelt(2, 4))] == ["latent, continuation"]
    assert len(protocol(replace(scale, everywhere=True), seatbelt(2, 4))) == 4
    runs = recipe("fig7", scale, SPRITES).runs
    assert shared(runs, (seatbelt(2, 10), tcdlgm)) == (known["latent-cold"], known["latent"])
    thinned = attacks(replace(scale, output_every=2), SPRITES)
    assert thinned["output"].lambdas == (0.1, 10.0)


def test_what_does_not_suit_the_data_is_not_asked_of_it(images_file: Path) -> None:
    planned = plan(["mig", "rotated-heart", "fig3"], SMOKE, [str(images_file)])
    assert [sweep.attacks for sweep in planned.sweeps] == [()]
    assert [sweep.evaluate.measures for sweep in planned.sweeps if sweep.evaluate] == [("elbo",)]


def test_damage_is_measured_at_shares_of_the_pairs_distance() -> None:
    images = Images("chairs", distance=8.0)
    made = recipe("robust", SMOKE, images)
    (damage,) = (attack for attack in made.attacks if attack.objective == "damage")
    assert damage.radii == (0.1, 0.2, 0.4, 0.8) == tuple(8 * share for share in SHARES)
    shown = [images.absolute(key) for key in made.shown if key.startswith("damage")]
    assert shown == ["damage@0.1", "damage@0.2", "damage@0.4", "damage@0.8"]


def test_the_paper_s_numbers_stand_at_their_points() -> None:
    for curve in PAPER.curves:
        for model in PAPER.layers:
            assert len(curve[model]) == len(PAPER.betas)  # type: ignore[arg-type]
    assert printed("chairs_mesh64", Point("seatbelt", 4, 10), "objective_mean", "latent") == 8e9
    assert printed("faces3d64", Point("beta-tcvae", 1, 6), "elbo") == -3750
    assert printed("chairs", Point("seatbelt", 2, 10), "elbo") is None
    assert printed("sprites", Point("seatbelt", 4, 10), "elbo") is None
