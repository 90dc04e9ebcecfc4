from dataclasses import replace

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups, labelled, references
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.kind import images_digest, named

from .synthetic import changed, damaged, inside_balls, synthetic_runs


def attacked(run: Record, **attacks) -> Record:
    return replace(run, attacks=attacks)


def test_attacks_of_a_kind_on_the_same_pairs_stand_together(runs: list[Record]) -> None:
    compared = groups(runs)
    assert [group.key for group in compared] == ["latent-kl", "output"]
    assert [trial.label for trial in compared[0].trials] == [run.label for run in runs]
    assert [trial.slot for trial in compared[1].trials] == [0, 1, 2]
    assert compared[0].pairs == 2


def test_different_pairs_are_never_compared() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    mine = second.attacks["latent"]
    second = attacked(second, latent=changed(mine, source=mine.result.source.flip(0)))
    compared = groups([first, second])
    assert [[trial.label for trial in group.trials] for group in compared] == [[first.label], [second.label]]
    assert [group.key for group in compared] == [
        f"latent-kl-pairs-{images_digest(run.attacks['latent'].result)}" for run in (first, second)
    ]


def test_a_second_attack_of_a_kind_is_named_by_what_it_does_otherwise() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    other = changed(run.attacks["latent"], settings={"solver.name": "adam"})
    compared = groups([attacked(run, **run.attacks, other=other)])
    assert [(c.key, c.title) for c in compared] == [
        ("latent-kl", "Latent attack (KL)"),
        ("latent-kl-solver-adam", "Latent attack (KL), solver adam"),
    ]


def on_layers(run: Record, *layers: int):
    return changed(run.attacks["latent"], settings={"objective.layers": list(layers)})


def test_an_attack_on_some_layers_never_takes_the_place_of_that_on_all() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    compared, top = groups([first, attacked(deep, top=on_layers(deep, 2), **deep.attacks)])
    assert [len(group.trials) for group in (compared, top)] == [2, 1]
    assert top.trials[0].attack == "top"


def test_alone_it_stands_apart() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    compared = groups([first, attacked(deep, top=on_layers(deep, 2))])
    assert [(c.key, c.title) for c in compared] == [
        ("latent-kl", "Latent attack (KL)"),
        ("latent-kl-z3", "Latent attack (KL) on z₃ (top)"),
    ]


def test_what_the_decoder_sees_is_the_usual_aim() -> None:
    first, _, deep = synthetic_runs(modes=("latent",))
    seen = changed(on_layers(deep, 0), settings={"decoder_sees": "bottom"})
    (compared,) = groups([first, attacked(deep, latent=seen)])
    assert len(compared.trials) == 2


def test_the_same_attack_on_other_pairs_is_another() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    mine = run.attacks["latent"]
    others = changed(mine, source=mine.result.source.flip(0), settings={"pairs_digest": "other"})
    compared = groups([attacked(run, latent=mine, others=others)])
    assert [c.title for c in compared] == [
        f"Latent attack (KL), pairs {images_digest(each.result)}" for each in (mine, others)
    ]


def test_the_same_attack_twice_is_refused() -> None:
    (run,) = synthetic_runs(models=1, modes=("latent",))
    with pytest.raises(InputError, match="holds two attacks"):
        groups([attacked(run, a=run.attacks["latent"], b=run.attacks["latent"])])


def test_another_seed_is_another_attack_only_within_a_run() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    again = changed(first.attacks["latent"], settings={"seed": 7})
    compared = groups([attacked(first, **first.attacks, again=again), second])
    assert [(c.title, len(c.trials)) for c in compared] == [
        ("Latent attack (KL)", 2),
        ("Latent attack (KL), seed 7", 1),
    ]


def test_other_weights_or_iterations_stand_apart_and_the_fullest_comes_first() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    mine = first.attacks["latent"]
    few = {
        name: getattr(mine.result, name)[:, :2] for name in ("objective", "discrepancy", "distortion", "adversarial")
    }
    quick = changed(mine, budget=mine.result.budget.values[:2], settings={"solver.max_iterations": 5}, **few)
    compared = groups([attacked(first, quick=quick, latent=mine), second])
    assert [(c.title, len(c.trials)) for c in compared] == [
        ("Latent attack (KL)", 2),
        ("Latent attack (KL), max_iterations 5, λ 0, 2⁻²⁰", 1),
    ]
    assert len({c.key for c in compared}) == 2


def test_equal_labels_are_told_apart_by_the_runs_names(runs: list[Record]) -> None:
    twins = [replace(runs[0], name="a"), replace(runs[0], name="b"), runs[1]]
    assert [run.label for run in labelled(twins)] == ["VAE (a)", "VAE (b)", runs[1].label]


def test_no_run_and_one_run_twice_are_refused(runs: list[Record]) -> None:
    with pytest.raises(InputError, match="no run was given"):
        labelled([])
    with pytest.raises(InputError, match="two runs are called"):
        labelled([runs[0], runs[0]])


def test_attacks_that_weigh_distortion_otherwise_stand_apart() -> None:
    first, second = synthetic_runs(models=2, modes=("latent",))
    lambdas, balls = groups([first, attacked(second, balls=inside_balls(second.attacks["latent"]))])
    assert (lambdas.key, lambdas.symbol) == ("latent-kl", "λ")
    assert (balls.key, balls.symbol, balls.title) == (
        "latent-kl-l2-ball",
        "ε",
        "Latent attack (KL) inside L2 balls",
    )


# --- without a target ------------------------------------------------------------------------------------------


def test_the_same_damage_on_the_same_images_stands_together(full: list[Record]) -> None:
    damage = groups(full)[2]
    assert (damage.key, damage.title) == ("damage-reconstruction-l2-ball", "Maximum damage, L2 balls")
    assert [trial.slot for trial in damage.trials] == [0, 1, 2]
    assert not damage.targeted


def test_other_images_stand_apart(full: list[Record]) -> None:
    mine = full[1].attacks["damage"]
    elsewhere = changed(mine, source=mine.result.source.flip(0))
    found = groups([attacked(full[0], damage=full[0].attacks["damage"]), attacked(full[1], damage=elsewhere)])
    assert [len(group.trials) for group in found] == [1, 1]
    assert len({group.key for group in found}) == 2


def test_models_attacked_at_other_radii_stand_apart(full: list[Record]) -> None:
    mine = full[0].attacks["damage"]
    other = attacked(full[1], damage=damaged(mine.result.source, 1, radii=(1.0, 2.0)))
    found = groups([attacked(full[0], damage=mine), other])
    assert [c.title for c in found] == ["Maximum damage, L2 balls", "Maximum damage, L2 balls, ε 1, 2"]
    assert [[trial.slot for trial in c.trials] for c in found] == [[0], [1]]


def test_the_same_damage_twice_is_refused(full: list[Record]) -> None:
    mine = full[0].attacks["damage"]
    with pytest.raises(InputError, match="holds two attacks that are both “Maximum damage, L2 balls”"):
        groups([attacked(full[0], a=mine, b=mine)])


# --- layer by layer --------------------------------------------------------------------------------------------


def test_they_do_not_crowd_the_comparison_of_models(full: list[Record], runs: list[Record]) -> None:
    assert [c.key for c in groups(full)[:2]] == [c.key for c in groups(runs)]


@pytest.mark.parametrize(
    ("layers", "total", "sees", "title"),
    [
        ([0, 1, 2], 3, "all", "Latent attack (KL)"),
        ([0], 3, "bottom", "Latent attack (KL)"),
        ([0, 1, 2], 3, "bottom", "Latent attack (KL) on all layers"),
        ([2], 3, "all", "Latent attack (KL) on z₃ (top)"),
        ([0, 2], 3, "all", "Latent attack (KL) on z₁ (bottom), z₃ (top)"),
        ([0], 1, "all", "Latent attack (KL)"),
        (None, 3, "all", "Latent attack (KL)"),
    ],
)
def test_layers_are_told_unless_they_are_what_the_decoder_sees(
    layers: list[int] | None, total: int, sees: str, title: str
) -> None:
    objective = {"name": "latent", "divergence": "kl", "layers": layers}
    settings = {"objective": objective, "budget": {"name": "penalty"}, "model_layers": total, "decoder_sees": sees}
    assert named(settings)[1] == title


# --- what a group says of its numbers --------------------------------------------------------------------------


def test_the_identity_is_known_without_data_but_not_in_boxes(latent: Group, full: list[Record]) -> None:
    (known,) = references(latent)
    interval = latent.reference(known, "f50")
    assert interval is not None
    assert interval.value == 0.5
    assert latent.reference(known, "target_nll_at_0.5") is None
    damage = groups(full)[2]
    (known,) = references(damage)
    interval = damage.reference(known, "amplification@4")
    assert interval is not None
    assert interval.value == 1
    boxes = changed(full[0].attacks["damage"], settings={"budget.norm": "linf"})
    assert references(groups([attacked(full[0], damage=boxes)])[0]) == ()


def test_the_blend_is_what_a_model_makes_of_the_way(latent: Group) -> None:
    """The identity as a model: its blend has the identity's own numbers."""

    class Identity(torch.nn.Module):
        def encode(self, x: torch.Tensor, noise: object = None) -> tuple[torch.distributions.Normal, ...]:
            return (torch.distributions.Normal(x, 1.0),)

        def decode(self, z: tuple[torch.Tensor, ...]) -> torch.distributions.Independent:
            return torch.distributions.Independent(torch.distributions.Normal(z[0], 1.0), 3)

    seen, known = references(latent, Identity())
    assert (seen.name, known.name) == ("blend", "identity")
    assert torch.allclose(seen.f50, known.f50.to(seen.f50), atol=1e-4)
    assert torch.allclose(seen.auddc, known.auddc.to(seen.auddc), atol=1e-3)


@pytest.mark.parametrize(
    ("mode", "divergence", "unit"),
    [("latent", "skl", "nats"), ("output", "elbo", "nats"), ("latent", "w2", "latent units"),
     ("output", "l2", "data units")],
)  # fmt: skip
def test_delta_has_the_unit_of_what_was_minimised(mode: str, divergence: str, unit: str, latent: Group) -> None:
    from seatbelt_vae.measures import MEASURES

    other = changed(latent.trials[0].attacked, settings={"objective.name": mode, "objective.divergence": divergence})
    (group,) = groups([Record("a", "a", attacks={"attack": other})])
    assert group.unit(MEASURES["objective"]) == unit
    assert group.comparable(MEASURES["objective"]) is (mode == "output")
    assert group.unit(MEASURES["target_nll"]) == "nats"


def test_numbers_are_those_of_the_metrics_over_pairs_where_they_are_defined(latent: Group) -> None:
    from seatbelt_vae.metrics import compare, interval

    first, second = latent.trials[:2]
    same = first.attacked.assessment.target_reconstruction.clone()
    same[0] = first.attacked.assessment.source_reconstruction[0]
    blind = replace(
        first.record, attacks={"latent": changed(first.attacked, assessment={"target_reconstruction": same})}
    )
    (group,) = groups([blind, attacked(second.record, latent=second.attacked)])
    values = group.values(group.trials[0], "auddc")
    assert values.isnan().tolist() == [True, False]
    found = group.interval(group.trials[0], "auddc")
    assert found.value == pytest.approx(float(values[1]))
    assert found.low != found.low, "one pair has no interval"
    assert group.compare(group.trials[1], "auddc") is None, "one pair is no paired test"
    mine = latent.values(first, "auddc")
    theirs = latent.values(second, "auddc")
    assert latent.interval(first, "auddc") == interval(mine, possible=(0.0, 1.0))
    assert latent.compare(second, "auddc") == compare(mine, theirs)


def test_models_are_tested_on_the_pairs_they_share() -> None:
    from seatbelt_vae.metrics import compare

    group = groups(synthetic_runs(pairs=6, count=5, models=2, modes=("latent",)))[0]
    first, second = group.trials
    same = first.attacked.assessment.target_reconstruction.clone()
    same[0] = first.attacked.assessment.source_reconstruction[0]
    blind = attacked(first.record, latent=changed(first.attacked, assessment={"target_reconstruction": same}))
    (other,) = groups([blind, second.record])
    expected = compare(group.values(first, "auddc")[1:], group.values(second, "auddc")[1:])
    assert other.compare(other.trials[1], "auddc") == expected
    assert expected.pairs == 5


def test_digests_tell_images_apart_and_nothing_else(latent: Group) -> None:
    result = latent.result
    assert images_digest(result) == images_digest(replace(result, objective=result.objective + 1))
    assert images_digest(result) != images_digest(replace(result, target=torch.zeros_like(result.target)))
