"""The sentences that lead the page, on damages that are set by hand."""

import math
from dataclasses import replace

import pytest
import torch

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Reference
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.summary import damage_ratios, headline, leading_radius, share_of_the_way, summary

from .synthetic import damaged, inside_balls, synthetic_runs

PAIRS = 8


def moved_by(factors: list[float], spread: float = 0.02, pairs: int = PAIRS) -> list[Group]:
    """Models whose damage is that of the first times a factor, give or take."""
    runs = synthetic_runs(models=len(factors), pairs=pairs, count=5, modes=("latent",))
    first = damaged(runs[0].attacks["latent"].result.source, 0)
    records = []
    for place, (factor, run) in enumerate(zip(factors, runs, strict=True)):
        shares = torch.full((pairs, 1, 1, 1, 1), factor)
        if place:
            shares *= 1 + spread * torch.linspace(-1, 1, pairs).view_as(shares)
        clean = first.assessment.source_reconstruction[:, None]
        moved = clean + shares * (first.assessment.adversarial_reconstruction - clean)
        seen = replace(first.assessment, adversarial_reconstruction=moved)
        records.append(replace(run, attacks={**run.attacks, "damage": replace(first, assessment=seen)}))
    return list(groups(records))


def records_of(group: Group) -> list[Record]:
    return [trial.record for trial in group.trials]


def test_the_model_that_holds_leads() -> None:
    compared = moved_by([1.0, 1.5, 0.4])
    leading, others = headline(compared).split(". ")
    assert leading.startswith(
        "Seatbelt-VAE, L=3, β=4 needs more distortion than VAE: the worst distortion of norm 1 moves its output 0.40"
    )
    assert leading.endswith("times as far")
    assert others.startswith("The same distortion moves the others’ output 1.5")
    assert others.endswith(" (β-TCVAE, β=4) times as far.")
    assert "told" not in others


def test_the_ratio_is_that_of_geometric_means_over_the_same_images() -> None:
    damage = moved_by([1.0, 0.5], spread=0.1)[-1]
    assert leading_radius(damage) == "1"
    (ratio,) = damage_ratios(damage).values()
    shares = 0.5 * (1 + 0.1 * torch.linspace(-1, 1, PAIRS))
    assert ratio.difference.value == pytest.approx(float(shares.log().mean().exp()), rel=1e-4)
    assert ratio.difference.low < 0.5 < ratio.difference.high
    assert ratio.pairs == PAIRS


def test_no_claim_without_a_difference() -> None:
    said = headline(moved_by([1.0, 0.99, 1.01], spread=0.5))
    assert said.startswith(
        "No model is harder to move than VAE: the worst distortion of norm 1 moves the others’ output"
    )
    assert said.count("no difference can be told") == 2


def test_two_images_are_never_enough_for_a_claim() -> None:
    said = headline(moved_by([1.0, 0.3], pairs=2))
    assert said.startswith("No model is harder to move")


def test_nothing_to_say() -> None:
    assert headline([]) == ""
    assert headline(moved_by([1.0])) == ""
    assert headline(moved_by([1.0, 0.5])[:1]) == ""
    assert headline(moved_by([1.0, 0.5], pairs=1)) == ""


def test_the_share_of_the_way_by_hand() -> None:
    before = torch.tensor([0.2, 0.3, math.inf, 0.1])
    after = torch.tensor([0.3, 0.5, 0.2, math.inf])
    reference = torch.tensor([0.4, 0.5, 0.5, 0.5])
    share = share_of_the_way(before, after, reference)
    assert share.value == pytest.approx(0.3 / 0.4)  # the first two pairs: gains .1 + .2, gaps .2 + .2
    assert share.low < 0.75 < share.high


def test_the_interval_is_that_of_the_delta_method() -> None:
    generator = torch.Generator().manual_seed(0)
    gap = 0.2 + 0.02 * torch.randn(400, generator=generator, dtype=torch.float64)
    gain = 0.5 * gap + 0.02 * torch.randn(400, generator=generator, dtype=torch.float64)
    before = torch.full_like(gap, 0.3)
    share = share_of_the_way(before, before + gain, before + gap)
    draws = torch.randint(400, (4000, 400), generator=generator)
    resampled = gain[draws].mean(1) / gap[draws].mean(1)
    low, high = resampled.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    assert (share.low, share.high) == pytest.approx((low, high), abs=2e-3)


@pytest.mark.parametrize("reference", [0.2, 0.1, math.nan])
def test_no_way_to_go(reference: float) -> None:
    share = share_of_the_way(torch.full((3,), 0.2), torch.full((3,), 0.3), torch.full((3,), reference))
    assert math.isnan(share.value)


def test_the_way_to_the_blend_stands_beside_the_damage() -> None:
    latent, damage = moved_by([1.0, 0.4])
    f50 = [latent.values(trial, "f50") for trial in latent.trials]
    halfway = 2 * f50[1] - f50[0]
    blend = Reference("blend", halfway, halfway, torch.ones(PAIRS, 1))
    leading = headline([replace(latent, references=(blend,)), damage])
    assert leading.endswith(
        "and it has come 0.500 [0.500, 0.500] of the way from the f50 of VAE to that of blending the images."
    )


def test_the_headline_comes_first_and_the_rest_stays() -> None:
    compared = moved_by([1.0, 1.5, 0.4])
    records = records_of(compared[0])
    said = summary(records, compared)
    assert said[0] == headline(compared)
    assert said[1:] == summary(records, compared[:1])


def test_damage_alone_is_an_attack() -> None:
    compared = moved_by([1.0, 0.4])[1:]
    records = records_of(compared[0])
    said = summary(records, compared)
    assert "None of them has been attacked." not in said
    assert said[0] != said[1]


def test_balls_with_a_target_are_no_damage() -> None:
    runs = synthetic_runs(models=2, pairs=PAIRS, count=5, modes=("latent",))
    made = [replace(run, attacks={"latent": inside_balls(run.attacks["latent"])}) for run in runs]
    assert headline(groups(made)) == ""
