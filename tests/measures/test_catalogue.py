"""Every measure of an attack against numbers worked out by hand, and the catalogue as a whole."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seatbelt_vae.attacks import Assessment, AttackResult, Grid
from seatbelt_vae.measures import CURVES, MEASURES, Attacked, geometric_mean, measures_of, objective_unit, shown_index

LAMBDAS = torch.tensor([0.0, 1.0, 10.0])


def image(value: float) -> Tensor:
    """One grey on 2×2 pixels: its length is twice the value."""
    return torch.full((1, 2, 2), value)


def images(*values: float) -> Tensor:
    return torch.stack([image(value) for value in values])


def attacked(
    *,
    success: tuple[float, ...] = (1.0, 0.5, 0.0),
    distortion: tuple[float, ...] = (1.8, 0.8, 0.0),
    objective: tuple[float, ...] = (1.0, 10.0, 100.0),
    divergence: str = "kl",
    kind: str = "latent",
) -> Attacked:
    """Two pairs from black to white; rec(x) is black, rec(x_t) white but for the second pair, where it is black too."""
    reached = images(*success)
    result = AttackResult(
        source=images(0.0, 0.0),
        target=images(1.0, 1.0),
        adversarial=torch.stack([images(*distortion) / 2] * 2),
        budget=Grid(LAMBDAS, "penalty"),
        objective=torch.tensor([objective] * 2),
        discrepancy=torch.tensor([[1.0, 4.0, 50.0]] * 2),
        distortion=torch.tensor([distortion] * 2),
        status=torch.zeros(2, 3, dtype=torch.int8),
        evaluations=torch.ones(2, 3, dtype=torch.int64),
        settings={"objective": {"name": kind, "divergence": divergence}, "budget": {"name": "penalty"}},
    )
    assessment = Assessment(
        source_reconstruction=images(0.0, 0.0),
        target_reconstruction=images(1.0, 0.0),
        adversarial_reconstruction=torch.stack([reached] * 2),
        nll=torch.tensor([[5.0, 7.0, 12.0]] * 2),
        nll_error=torch.zeros(2, 3),
    )
    return Attacked(result, assessment)


def value(key: str, of: Attacked) -> list[float]:
    measure = MEASURES[key]
    assert measure.of is not None
    return measure.of(of).flatten().tolist()


def test_success_is_that_of_the_definition_and_not_defined_where_nothing_can_be_gained() -> None:
    found = value("success", attacked())
    assert found[:3] == [1.0, 0.5, 0.0]
    assert all(map(math.isnan, found[3:]))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("success_at_0.3", 0.0),  # of the attack at ‖d‖ = 0
        ("success_at_0.5", 0.5),  # of that at ‖d‖ = .8, ‖x − x_t‖ = 2
        ("auddc", 1 - 0.4 * 0.5 / 2 - 0.5 * (0.5 + 1) / 2 - 0.1),  # through (0, 1), (.4, .5), (.9, 0), (1, 0)
        ("f50", 0.4),
    ],
)
def test_what_success_gives(key: str, expected: float) -> None:
    first, second = value(key, attacked())
    assert first == pytest.approx(expected, abs=1e-6)
    assert math.isnan(second)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("to_target_at_0.5", 1.0),  # rec(x*) is .5 grey
        ("from_clean_at_0.5", 1.0),
        ("target_nll_at_0.5", 7.0),
        ("target_nll", 8.0),
        ("objective", 10.0),
        ("objective_mean", 37.0),
        ("objective_minimum", 1.0),
        ("objective_clean", 50.0),
    ],
)
def test_one_number_a_pair(key: str, expected: float) -> None:
    assert value(key, attacked())[0] == pytest.approx(expected, rel=1e-6)


def test_violations_are_a_share_of_the_lambdas() -> None:
    seen = attacked(objective=(1.0, 10.0, 100.0))
    assert value("violations", seen) == [0.0, 0.0]  # of an attack without a bound
    bound = torch.tensor([[1.0, 9.0, 99.0], [1.0, 10.0, 99.0]])
    worse = Attacked(replace(seen.result, bound=bound), seen.assessment)
    assert value("violations", worse) == pytest.approx([2 / 3, 1 / 3])


def test_not_attacking_is_within_every_budget() -> None:
    """Where no λ stayed within half the way, the value is that of the clean image."""
    far = attacked(distortion=(1.8, 1.6, 1.4))
    assert value("success_at_0.5", far)[0] == 0.0
    assert value("to_target_at_0.5", far)[0] == 2.0
    assert value("from_clean_at_0.5", far)[0] == 0.0
    assert value("target_nll_at_0.5", far)[0] == 12.0  # that of the least distortion, none was measured without
    assert math.isnan(value("objective_clean", far)[0])


def test_the_curve_begins_at_no_distortion_and_no_success() -> None:
    """One attack at ‖d‖ = .9·‖x − x_t‖ that gains all: the area is that of the triangle before it."""
    late = attacked(success=(1.0, 1.0, 1.0), distortion=(1.8, 1.8, 1.8))
    assert value("auddc", late)[0] == pytest.approx(0.45)


def test_a_negative_objective_has_no_geometric_mean() -> None:
    below = attacked(objective=(-1.0, 1.0, 2.0))
    assert all(map(math.isnan, value("objective", below)))
    assert all(map(math.isnan, value("objective_minimum", below)))
    assert value("objective_mean", below)[0] == pytest.approx(2 / 3)
    assert geometric_mean(torch.tensor([[0.0, 1.0]])).item() == pytest.approx(1e-6)


def test_the_lambda_that_figures_show() -> None:
    objective = torch.tensor([[0.0, 1.0, 5.0, 5.0, 9.0], [1.0] * 5, [4.0, 3.0, 2.0, 1.0, 0.0]])
    assert shown_index(objective).tolist() == [3, 4, 1]


def damaged() -> Attacked:
    whole = attacked(kind="damage", divergence="reconstruction")
    grid = Grid(torch.tensor([0.5, 1.0, 2.0]), "ball")
    settings = {**whole.result.settings, "budget": {"name": "ball"}}
    fields = {**vars(whole.result), "target": whole.result.source, "budget": grid, "settings": settings}
    return Attacked(AttackResult(**fields), whole.assessment)


def test_damage_and_amplification() -> None:
    assert value("damage", damaged())[:3] == [2.0, 1.0, 0.0]
    assert value("amplification", damaged())[:3] == [4.0, 2.0, 1.0]  # what a ball holds a larger one holds too
    assert value("source_nll", damaged())[:3] == [5.0, 7.0, 12.0]


def test_an_attack_has_the_measures_of_its_kind() -> None:
    targeted = {measure.key for measure in measures_of(attacked().result, "curve")}
    assert targeted == {"delta", "distortion", "relative_distortion", "success", "nll"}
    assert {measure.key for measure in measures_of(damaged().result, "curve")} == {
        "delta",
        "distortion",
        "source_nll",
        "damage",
        "amplification",
    }
    assert measures_of(damaged().result, "pair") == []
    assert all(measure.key in MEASURES for measure in measures_of(attacked().result, "pair"))


@pytest.mark.parametrize(
    ("kind", "divergence", "unit", "comparable"),
    [
        ("latent", "kl", "nats", False),
        ("latent", "w2", "latent units", False),
        ("output", "elbo", "nats", True),
        ("output", "l2", "data units", True),
        ("damage", "reconstruction", "data units", False),
        ("damage", "skl", "nats", False),
    ],
)
def test_the_unit_of_what_is_minimised(kind: str, divergence: str, unit: str, comparable: bool) -> None:
    result = attacked(kind=kind, divergence=divergence).result
    assert objective_unit(result) == unit
    assert MEASURES["objective"].unit_in(result) == MEASURES["delta"].unit_in(result) == unit
    assert MEASURES["objective"].comparable_in(result) is comparable
    assert MEASURES["auddc"].unit_in(result) == ""
    assert MEASURES["auddc"].comparable_in(result)


def test_the_catalogue_is_whole() -> None:
    for key, measure in MEASURES.items():
        assert key == measure.key
        assert "@" not in key
        assert measure.title
        assert measure.definition.endswith(".")
        assert (measure.kind == "run") == (measure.of is None)
        assert measure.possible[0] < measure.possible[1]
        assert not measure.ratio or measure.possible == (-math.inf, math.inf)
    assert {measure.kind for measure in CURVES} == {"curve"}
