"""What an attack is, flat: its name, its three parts, and what cannot be said."""

from typing import Any

import pytest

from seatbelt_vae.attacks import (
    DDN,
    Adam,
    Ball,
    Cold,
    Continuation,
    Damage,
    Latent,
    MinimumNorm,
    Output,
    Penalty,
    Shrinking,
    paper_lambdas,
)
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec
from seatbelt_vae.settings import settings_of


@pytest.mark.parametrize(
    ("settings", "triple"),
    [
        ({}, (Latent(), Penalty(), Continuation())),
        ({"divergence": "w2", "layers": "top", "samples": 4}, (Latent("w2", "top", 4), Penalty(), Continuation())),
        ({"lambdas": (1, 0.5), "squared": True}, (Latent(), Penalty((1.0, 0.5), True), Continuation())),
        ({"objective": "output", "radii": (1.0,)}, (Output(), Ball((1.0,)), Cold())),
        ({"objective": "damage", "radii": (1.0,), "norm": "linf"}, (Damage(), Ball((1.0,), "linf"), Cold())),
        ({"radii": (2.0,), "restarts": 3, "max_iterations": 7}, (Latent(), Ball((2.0,), "l2", 3), Cold(7))),
        ({"solver": "adam", "learning_rate": 0.1}, (Latent(), Penalty(), Adam(3000, 0.1))),
        ({"success": (0.5, 0.3)}, (Latent(), MinimumNorm((0.3, 0.5)), Shrinking())),
        ({"discrepancy": 2.0, "solver": "ddn", "steps": 9}, (Latent(), MinimumNorm(discrepancy=2.0), DDN(steps=9))),
        ({"passes": 3}, (Latent(), Penalty(), Continuation(passes=3))),
    ],
)
def test_the_parts_that_settings_describe(settings: dict[str, Any], triple: tuple[Any, ...]) -> None:
    assert AttackSpec.of(**settings).triple() == triple


def test_the_name_tells_attacks_apart() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"pairs": 3},
        {"pair_seed": 1},
        {"pair_kind": "rotated-hearts"},
        {"layers": "top"},
        {"samples": 1},
        {"lambdas": (1.0,)},
        {"lambdas": (2.0,)},
        {"squared": True},
        {"radii": (1.0,)},
        {"radii": (2.0,)},
        {"solver": "cold"},
        {"max_iterations": 7},
        {"passes": 3},
        {"objective": "output"},
    ]
    assert len({AttackSpec.of(**change).name for change in changes}) == len(changes)
    assert AttackSpec().name.startswith("latent-")
    assert AttackSpec.of(divergence="w2").name.startswith("latent-w2-")
    assert AttackSpec.of(objective="damage", divergence="skl", radii=(1.0,)).name.startswith("damage-skl-")


@pytest.mark.parametrize(
    "same",
    [
        {"objective": "latent", "pairs": 10},
        {"divergence": "kl", "samples": 0, "target_noise": "same"},
        {"budget": "penalty", "lambdas": "paper", "squared": False},
        {"lambdas": tuple(paper_lambdas().tolist())},
        {"solver": "continuation", "max_iterations": 1000, "passes": 2},
    ],
)
def test_one_attack_has_one_name(same: dict[str, Any]) -> None:
    assert AttackSpec.of(**same).name == AttackSpec().name


def test_the_order_and_the_precision_of_a_grid_are_no_part_of_the_name() -> None:
    first = AttackSpec.of(lambdas=(0.1, 10.0))
    assert AttackSpec.of(lambdas=(10.0, 0.1)).name == first.name
    assert AttackSpec.of(lambdas=(0.10000000149011612, 10.0)).name == first.name  # as float32 holds it
    assert AttackSpec.of(radii=(2.0, 1.0)).name == AttackSpec.of(radii=(1.0, 2.0)).name
    assert AttackSpec.of(objective="output", samples=4).name == AttackSpec.of(objective="output").name
    assert AttackSpec.of(solver="cold", radii=(1.0,)).name == AttackSpec.of(radii=(1.0,)).name


def test_presets_are_taken_up() -> None:
    assert len(AttackSpec.of("tabacof").lambdas) == 100
    assert AttackSpec.of("gondim-ribeiro", max_iterations=7).triple() == (Output("l2"), Penalty("paper", True), Adam(7))
    assert AttackSpec.of("kuzina", objective="output").triple()[:2] == (Output(), Ball((0.5, 1.0, 2.0), restarts=5))


def test_json_there_and_back() -> None:
    spec = AttackSpec.of("kuzina", layers=(0, 1), pairs=3)
    assert AttackSpec.of(**spec.model_dump(mode="json")) == spec


def test_every_setting_is_explained() -> None:
    for setting in settings_of(AttackSpec).values():
        assert setting.help, setting.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": 0}, "attack: pairs: Input should be greater than or equal to 1, got 0"),
        ({"pairs": 2**70}, "attack: pairs: Input should be less than 9223372036854775808"),
        ({"lambdas": (-1.0,)}, "attack: lambdas (-1.0,): must be one or more finite numbers, zero or more each"),
        ({"lambdas": "log"}, "attack: lambdas 'log': must be 'paper' or numbers"),
        ({"objective": "sideways"}, "attack: objective: 'sideways' is unknown, use one of latent, output, damage"),
        ({"objective": "damage"}, "attack: radii: budget ball needs it (limits ε > 0)"),
        ({"objective": "damage", "radii": ()}, "attack: radii ()"),
        ({"objective": "damage", "radii": (1.0,), "samples": 2}, "samples: means nothing to objective damage, only to"),
        ({"objective": "output", "layers": "top"}, "layers: means nothing to objective output, only to latent"),
        ({"radii": (0.0,)}, "attack: radii (0.0,)"),
        ({"radii": (1.0,), "lambdas": (3.0,)}, "attack: lambdas: means nothing to budget ball, only to penalty"),
        ({"restarts": 2}, "attack: restarts: means nothing to budget penalty, only to ball"),
        ({"norm": "linf"}, "attack: norm: means nothing to budget penalty, only to ball"),
        ({"radii": (1.0,), "solver": "adam"}, "attack: solver adam: cannot keep to a ball"),
        ({"radii": (1.0,), "passes": 3}, "attack: passes: means nothing to solver cold, only to continuation"),
        ({"preset": "papers"}, "preset: 'papers' is unknown (did you mean paper?), use one of paper, tabacof"),
        ({"divergence": "js"}, "js"),
        ({"solver": "sgd"}, "attack: solver: 'sgd' is unknown, use one of continuation"),
        ({"layers": "middle"}, "attack: layers 'middle'"),
        ({"layer": 5}, "attack: layer: no such setting, did you mean layers?"),
        ({"pair_kind": "hearts"}, "attack: pair_kind: 'hearts' is unknown, use test or rotated-hearts"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        AttackSpec.of(**change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
