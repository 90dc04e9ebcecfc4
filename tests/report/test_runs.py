from dataclasses import replace
from typing import Any

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.report.matching import comparisons, pairs_digest
from seatbelt_vae.report.runs import ReportRun, labelled

from .synthetic import synthetic_runs


def test_attacks_of_a_kind_on_the_same_pairs_stand_together(runs: list[ReportRun]) -> None:
    compared = comparisons(runs)
    assert [comparison.key for comparison in compared] == ["latent-kl", "output"]
    assert [trial.label for trial in compared[0].trials] == [run.label for run in runs]
    assert [trial.slot for trial in compared[1].trials] == [0, 1, 2]
    assert compared[0].pairs == 2


def test_different_pairs_are_never_compared() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    result, assessment = second.attacks[0]
    second = replace(second, attacks=[(replace(result, source=result.source.flip(0)), assessment)])
    compared = comparisons([first, second])
    assert [[trial.label for trial in comparison.trials] for comparison in compared] == [[first.label], [second.label]]
    assert [comparison.key for comparison in compared] == [
        f"latent-kl-pairs-{pairs_digest(run.attacks[0][0])}" for run in (first, second)
    ]


def test_a_second_attack_of_a_kind_is_named_by_what_it_does_otherwise() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    result, assessment = run.attacks[0]
    other = replace(result, settings={**result.settings, "solver": "adam"})
    compared = comparisons([replace(run, attacks=[*run.attacks, (other, assessment)])])
    assert [(c.key, c.title) for c in compared] == [
        ("latent-kl", "Latent attack (KL)"),
        ("latent-kl-solver-adam", "Latent attack (KL), solver adam"),
    ]


def on_layers(attacked: Any, *layers: int) -> Any:
    result, assessment = attacked
    return replace(result, settings={**result.settings, "layers": list(layers)}), assessment


def test_an_attack_on_some_layers_never_takes_the_place_of_that_on_all() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    top = on_layers(deep.attacks[0], 2)
    (compared,) = comparisons([first, replace(deep, attacks=[top, *deep.attacks])])
    assert [trial.scope.words for trial in compared.trials] == ["the one layer", "all layers"]


def test_alone_it_stands_apart() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    compared = comparisons([first, replace(deep, attacks=[on_layers(deep.attacks[0], 2)])])
    assert [(c.key, c.title) for c in compared] == [
        ("latent-kl", "Latent attack (KL)"),
        ("latent-kl-top", "Latent attack (KL) on z₃ (top)"),
    ]


def test_what_the_decoder_sees_is_the_usual_aim() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    result, assessment = on_layers(deep.attacks[0], 0)
    seen = replace(result, settings={**result.settings, "decoder_sees": "bottom"})
    (compared,) = comparisons([first, replace(deep, attacks=[(seen, assessment)])])
    assert compared.trials[1].scope.words == "z₁ (bottom)"
    assert compared.trials[1].usual


def test_the_same_attack_on_other_pairs_is_another() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    result, assessment = run.attacks[0]
    others = replace(result, source=result.source.flip(0), settings={**result.settings, "pairs_digest": "other"})
    compared = comparisons([replace(run, attacks=[*run.attacks, (others, assessment)])])
    assert [c.title for c in compared] == [
        f"Latent attack (KL), pairs {pairs_digest(each)}" for each in (result, others)
    ]


def test_the_same_attack_twice_is_refused() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    with pytest.raises(InputError, match="holds two attacks"):
        comparisons([replace(run, attacks=[run.attacks[0], run.attacks[0]])])


def test_another_seed_is_another_attack_only_within_a_run() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    result, assessment = first.attacks[0]
    again = replace(result, settings={**result.settings, "seed": 7})
    compared = comparisons([replace(first, attacks=[*first.attacks, (again, assessment)]), second])
    assert [(c.title, len(c.trials)) for c in compared] == [
        ("Latent attack (KL)", 2),
        ("Latent attack (KL), seed 7", 1),
    ]


def test_other_weights_or_iterations_stand_apart_and_the_fullest_comes_first() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    result, assessment = first.attacks[0]
    few = {name: getattr(result, name)[:, :2] for name in ("objective", "discrepancy", "distortion", "adversarial")}
    quick = replace(result, lambdas=result.lambdas[:2], settings={**result.settings, "max_iterations": 5}, **few)
    compared = comparisons([replace(first, attacks=[(quick, assessment), *first.attacks]), second])
    assert [(c.title, len(c.trials)) for c in compared] == [
        ("Latent attack (KL)", 2),
        ("Latent attack (KL), max_iterations 5, λ 0, 2⁻²⁰", 1),
    ]
    assert len({c.key for c in compared}) == 2


def test_equal_labels_are_told_apart_by_the_runs_names(runs: list[ReportRun]) -> None:
    twins = [replace(runs[0], name="a"), replace(runs[0], name="b"), runs[1]]
    assert [run.label for run in labelled(twins)] == ["VAE (a)", "VAE (b)", runs[1].label]


def test_no_run_and_one_run_twice_are_refused(runs: list[ReportRun]) -> None:
    with pytest.raises(InputError, match="no run was given"):
        labelled([])
    with pytest.raises(InputError, match="two runs are called"):
        labelled([runs[0], runs[0]])


def test_attacks_that_weigh_distortion_otherwise_stand_apart() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    result, assessment = second.attacks[0]
    inside = replace(result, settings={**result.settings, "penalty": None, "ball": "l2"})
    lambdas, balls = comparisons([first, replace(second, attacks=[(inside, assessment)])])
    assert (lambdas.key, lambdas.weight) == ("latent-kl", "λ")
    assert (balls.key, balls.weight, balls.title) == (
        "latent-kl-l2-ball",
        "ε",
        "Latent attack (KL) inside L2 balls",
    )
