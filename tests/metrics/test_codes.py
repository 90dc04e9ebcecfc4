"""DCI, SAP and the FactorVAE score on codes whose scores are known, and against plain implementations."""

import numpy as np
import pytest
import torch
from scipy import stats

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.dci import dci
from seatbelt_vae.metrics.factor_vae_score import factor_vae_score
from seatbelt_vae.metrics.sap import sap

FACTORS = torch.cartesian_prod(torch.arange(3), torch.arange(6), torch.arange(8), torch.arange(8))
NOISE = torch.randn(len(FACTORS), 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IDENTITY = torch.cat([FACTORS.double() - 2, 0.01 * NOISE[:, :2]], 1)  # and two dead latents
STANDARD = FACTORS.double() / FACTORS.double().std(0)
HADAMARD = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).double() / 2
ENTANGLED = STANDARD @ HADAMARD  # every latent is as much of one factor as of another
MIXED = STANDARD + 0.4 * STANDARD @ HADAMARD  # a latent for each factor, with some of the others in it


def test_latents_that_are_the_factors():
    scores = dci(IDENTITY, FACTORS, trees=3)
    assert min(scores.disentanglement, scores.completeness, scores.informativeness) > 0.95
    assert sap(IDENTITY, FACTORS).score > 0.95
    assert factor_vae_score(IDENTITY, FACTORS).score > 0.95


def test_noise():
    scores = dci(NOISE, FACTORS, trees=5)
    assert max(scores.disentanglement, scores.completeness) < 0.02
    chance = torch.tensor([1 / 3, 1 / 6, 1 / 8, 1 / 8], dtype=torch.float64)
    torch.testing.assert_close(scores.accuracy, chance, atol=0.09, rtol=0)
    assert sap(NOISE, FACTORS).score < 0.02
    assert sap(NOISE, FACTORS, categorical=[0]).score < 0.05
    assert factor_vae_score(NOISE, FACTORS).score < 0.25 + 0.1


def test_rotation_hides_the_factors_and_mixing_lies_between():
    entangled, mixed = dci(ENTANGLED, FACTORS, trees=3), dci(MIXED, FACTORS, trees=3)
    assert entangled.disentanglement < 0.15
    assert entangled.disentanglement + 0.1 < mixed.disentanglement < 0.9
    assert sap(ENTANGLED, FACTORS).score < 1e-9  # all squared correlations are 1/4
    assert 0.1 < sap(MIXED, FACTORS).score < 0.9


def test_dci_scores_follow_from_its_importances():
    result = dci(MIXED, FACTORS[:, :3], trees=2)
    R = result.importance.numpy()
    assert R.sum(0) == pytest.approx(np.ones(3))
    disentanglement = 1 - stats.entropy(R, axis=1, base=3)
    assert result.disentanglement == pytest.approx(np.average(disentanglement, weights=R.sum(1)))
    assert result.completeness == pytest.approx(np.mean(1 - stats.entropy(R, axis=0, base=4)))


def test_dci_of_a_factor_kept_twice():
    copies = torch.cat([FACTORS[:, 1:3], FACTORS[:, 1:3]], 1) + 0.3 * NOISE[:, :4]
    result = dci(copies, FACTORS[:, 1:3], trees=6)
    assert result.disentanglement > 0.9
    assert result.completeness == pytest.approx(0.5, abs=0.08)  # 1 − log 2 / log 4


def test_dci_finds_factors_that_no_line_predicts():
    angle = FACTORS[:, 2] * (2 * torch.pi / 8)
    codes = torch.stack([angle.cos(), angle.sin(), NOISE[:, 0]], 1)
    result = dci(codes, FACTORS[:, 2:3], trees=3)
    assert result.informativeness > 0.95
    assert result.disentanglement == 1.0  # a single factor


def test_sap_is_the_gap_of_r_squared():
    codes = MIXED + 0.5 * NOISE[:, :4]
    squared = np.array([[np.corrcoef(z, v)[0, 1] ** 2 for v in FACTORS.T.numpy()] for z in codes.T.numpy()])
    result = sap(codes, FACTORS)
    assert result.table.numpy() == pytest.approx(squared)
    ordered = np.sort(squared, axis=0)
    assert float(result) == pytest.approx((ordered[-1] - ordered[-2]).mean())


def test_sap_of_a_categorical_factor_is_balanced_accuracy():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(12_000) % 4 == 0).long()  # one class three times as frequent
    z = torch.rand(12_000, generator=generator, dtype=torch.float64) + 0.5 * labels
    codes = torch.stack([z, torch.rand(12_000, generator=generator), torch.zeros(12_000)], 1)
    result = sap(codes, labels[:, None], categorical=[0])
    # U(0, 1) against U(0.5, 1.5): any threshold in the overlap is right in 3/4; noise in 1/2; dead latents in 0.
    assert result.table[:, 0].tolist() == pytest.approx([0.75, 0.5, 0.0], abs=0.03)
    assert result.score == pytest.approx(0.25, abs=0.04)


def test_sap_leaves_out_constant_factors():
    constant = torch.cat([FACTORS, torch.ones_like(FACTORS[:, :1])], 1)
    result = sap(IDENTITY, constant)
    assert result.gaps[-1].isnan()
    assert result.score == pytest.approx(sap(IDENTITY, FACTORS).score)


def plain_factor_vae_score(codes, factors, votes, batch_size, rng):
    """The published procedure, vote by vote."""
    deviation, tables = codes.std(0), []
    for _ in range(2):
        table = np.zeros((codes.shape[1], factors.shape[1]))
        for _ in range(votes):
            k = rng.integers(factors.shape[1])
            rows = np.flatnonzero(factors[:, k] == rng.choice(np.unique(factors[:, k])))
            batch = codes[rng.choice(rows, batch_size)] / deviation
            table[batch.var(0).argmin(), k] += 1
        tables.append(table)
    return sum(tables[1][j, k] for j, k in enumerate(tables[0].argmax(1))) / votes


def test_factor_vae_score_against_the_plain_procedure():
    codes = (MIXED + 0.3 * NOISE[:, :4]) * torch.tensor([1.0, 20.0, 0.4, 3.0])
    plain = plain_factor_vae_score(codes.numpy(), FACTORS.numpy(), 1500, 16, np.random.default_rng(0))
    ours = factor_vae_score(codes, FACTORS, votes=3000, batch_size=16)
    assert float(ours) == pytest.approx(plain, abs=0.05)
    assert ours.votes.sum().item() == 3000


def test_factor_vae_score_is_measured_on_fresh_votes():
    scores = [factor_vae_score(NOISE, FACTORS, votes=8, seed=seed).score for seed in range(60)]
    assert np.mean(scores) == pytest.approx(0.25, abs=0.08)  # on the votes it was fitted to it would be 0.5


def test_factor_vae_score_without_active_latents():
    assert factor_vae_score(IDENTITY * 1e-3, FACTORS).score == 0.0


def test_factor_vae_score_skips_constant_factors():
    constant = torch.cat([torch.ones_like(FACTORS[:, :1]), FACTORS], 1)
    result = factor_vae_score(IDENTITY, constant)
    assert result.score > 0.95
    assert result.votes[:, 0].sum() == 0


def test_unequal_values_are_drawn_equally_often():
    factor = torch.tensor([0] * 90 + [1] * 10)[:, None]
    # Only under value 1 is the first latent still, only under 0 the second: half of the votes each.
    first, second = NOISE[:100, 0].clone(), NOISE[:100, 1].clone()
    first[90:], second[:90] = 0, 0
    votes = factor_vae_score(torch.stack([first, second], 1), factor, votes=2000).votes[:, 0]
    assert votes[0].item() == pytest.approx(1000, abs=100)


def test_refusals():
    with pytest.raises(InputError, match="a row per image"):
        dci(NOISE[:5], FACTORS)
    with pytest.raises(InputError, match="at least 1 and 2"):
        factor_vae_score(NOISE, FACTORS, batch_size=1)
