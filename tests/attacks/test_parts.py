"""The parts of an attack: what each can be given, and what cannot be said."""

import dataclasses
import inspect
import json
import re
import typing

import pytest
import torch

from seatbelt_vae.attacks import (
    BUDGETS,
    OBJECTIVES,
    SOLVERS,
    Adam,
    Ball,
    Cold,
    Continuation,
    Damage,
    Latent,
    Output,
    Penalty,
    Scipy,
    paper_lambdas,
)
from seatbelt_vae.attacks.solvers import default_solver
from seatbelt_vae.errors import InputError

PARTS = [*OBJECTIVES.values(), *BUDGETS.values(), *SOLVERS.values()]


@pytest.mark.parametrize("part", PARTS)
def test_every_setting_has_a_type_and_a_help_text(part):
    types = typing.get_type_hints(part)
    arguments = inspect.getdoc(part).split("Args:")[1]
    for field in dataclasses.fields(part):
        assert types[field.name]
        assert re.search(rf"^    {field.name}: \S", arguments, re.MULTILINE), field.name


@pytest.mark.parametrize("kinds", [OBJECTIVES, BUDGETS, SOLVERS])
def test_names_are_those_of_the_classes(kinds):
    assert {name: kind.name for name, kind in kinds.items()} == {name: name for name in kinds}


@pytest.mark.parametrize("part", [kind() for kind in PARTS if kind is not Ball] + [Ball([1.0])])
def test_parts_are_frozen_hashable_and_their_settings_json(part):
    assert part == dataclasses.replace(part)
    assert hash(part) == hash(dataclasses.replace(part))
    assert json.loads(json.dumps(part.settings())) == part.settings()
    assert part.settings()["name"] == part.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        part.name = "other"


def test_lists_and_tensors_of_numbers_are_kept_as_tuples():
    assert Latent(layers=[0, 2]).layers == (0, 2)
    assert Penalty([4, 0, 1]).lambdas == (4.0, 0.0, 1.0)
    assert Penalty(paper_lambdas(3)).lambdas == (0.0, 2.0**-20, 1.0, 2.0**20)
    assert Ball(torch.tensor([2.0, 1.0])).radii == (2.0, 1.0)
    assert torch.equal(Penalty([4, 0, 1, 1]).grid().values, torch.tensor([0.0, 1.0, 4.0]))
    assert Ball([2.0]).grid().symbol == "ε"
    assert torch.equal(Penalty().grid().values, paper_lambdas())


def test_every_budget_has_a_solver():
    assert default_solver(Penalty()) == Continuation()
    assert default_solver(Ball([1.0])) == Cold()


def test_samples_that_are_not_given_follow_the_divergence():
    assert [Latent().draws, Latent("l2-samples").draws, Latent(samples=3).draws] == [0, 1, 3]
    assert [Output().draws, Output("l2").draws, Output("l2", samples=2).draws, Damage().draws] == [4, 0, 2, 0]


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        (Penalty, {"lambdas": [-1.0]}, "lambdas .*zero or more"),
        (Penalty, {"lambdas": [float("nan")]}, "finite"),
        (Penalty, {"lambdas": []}, "one or more"),
        (Penalty, {"lambdas": ["a"]}, "one or more finite numbers"),
        (Penalty, {"lambdas": "papers"}, "'papers': must be 'paper'"),
        (Ball, {"radii": []}, "^radii .*one or more"),
        (Ball, {"radii": [-1.0]}, "^radii .*> 0"),
        (Ball, {"radii": [0.0]}, "^radii .*> 0"),
        (Ball, {"radii": [1.0], "norm": "l1"}, "norm 'l1': must be one of l2, linf"),
        (Ball, {"radii": [1.0], "restarts": 0}, "restarts 0: must be a whole number, 1 or more"),
        (Latent, {"divergence": "k1"}, "divergence 'k1'"),
        (Latent, {"layers": "middle"}, "layers 'middle': must be all, bottom, top, or indices"),
        (Latent, {"layers": []}, "layers"),
        (Latent, {"layers": [0, 0]}, "layers"),
        (Latent, {"layers": 0}, "layers 0"),
        (Latent, {"samples": -1}, "samples -1"),
        (Latent, {"divergence": "l2-samples", "samples": 0}, "samples 0: l2-samples compares samples"),
        (Latent, {"target_noise": "mine"}, "target_noise 'mine': must be one of same, own"),
        (Latent, {"target_noise": "own"}, "follows samples"),
        (Output, {"divergence": "w2"}, "divergence 'w2': must be one of elbo, l2"),
        (Output, {"samples": 0.5}, "samples 0.5: must be a whole number, 0 or more"),
        (Damage, {"divergence": "k1"}, "divergence 'k1': must be one of reconstruction, kl"),
        (Damage, {"divergence": "l2-samples"}, "divergence 'l2-samples': must be one of reconstruction, kl"),
        (Damage, {"layers": "top"}, "layers 'top': a reconstruction has none"),
        (Continuation, {"max_iterations": 0}, "max_iterations 0: must be a whole number, 1 or more"),
        (Continuation, {"passes": 1}, "passes 1: must be a whole number, 2 or more"),
        (Cold, {"max_iterations": 0}, "max_iterations 0"),
        (Scipy, {"max_iterations": 0}, "max_iterations 0"),
        (Adam, {"max_iterations": 0}, "max_iterations 0"),
        (Adam, {"learning_rate": 0.0}, "learning_rate 0.0: must be a finite number > 0"),
    ],
)
def test_bad_settings_are_refused_in_one_line(part, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        part(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "setting"),
    [
        (Penalty, "restarts"),
        (Penalty, "norm"),
        (Penalty, "radii"),
        (Ball, "lambdas"),
        (Ball, "squared"),
        (Damage, "samples"),
        (Damage, "target_noise"),
        (Output, "layers"),
        (Output, "target_noise"),
        (Cold, "passes"),
        (Scipy, "passes"),
        (Adam, "passes"),
        (Continuation, "learning_rate"),
    ],
)
def test_what_would_mean_nothing_cannot_be_said(part, setting):
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        part(**{setting: 1})
