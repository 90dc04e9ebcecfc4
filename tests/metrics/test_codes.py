"""DCI, SAP and the FactorVAE score on codes whose scores are known, and against plain implementations."""

import sys

import numpy as np
import pytest
import torch
from scipy import stats

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.dci import dci
from seatbelt_vae.metrics.factor_vae_score import factor_vae_score
from seatbelt_vae.metrics.factors import ordered_factors
from seatbelt_vae.metrics.sap import sap

FACTORS = torch.cartesian_prod(torch.arange(3), torch.arange(6), torch.arange(8), torch.arange(8))
ORDERED = [0, 1, 2, 3]
NOISE = torch.randn(len(FACTORS), 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IDENTITY = torch.cat([FACTORS.double() - 2, 0.01 * NOISE[:, :2]], 1)  # and two dead latents
STANDARD = FACTORS.double() / FACTORS.double().std(0)
HADAMARD = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).double() / 2
ENTANGLED = STANDARD @ HADAMARD  # every latent is as much of one factor as of another
MIXED = STANDARD + 0.4 * STANDARD @ HADAMARD  # a latent for each factor, with some of the others in it


def test_latents_that_are_the_factors():
    scores = dci(IDENTITY, FACTORS, trees=3)
    assert min(scores.disentanglement, scores.completeness, scores.informativeness) > 0.95
    assert sap(IDENTITY, FACTORS, ORDERED).score > 0.95
    assert factor_vae_score(IDENTITY, FACTORS).score > 0.95


def test_noise():
    scores = dci(NOISE, FACTORS, trees=5)
    assert max(scores.disentanglement, scores.completeness) < 0.02
    chance = torch.tensor([1 / 3, 1 / 6, 1 / 8, 1 / 8], dtype=torch.float64)
    torch.testing.assert_close(scores.accuracy, chance, atol=0.09, rtol=0)
    assert sap(NOISE, FACTORS, ORDERED).score < 0.02
    assert sap(NOISE, FACTORS, ordered=[1, 2, 3]).score < 0.05
    assert factor_vae_score(NOISE, FACTORS).score < 0.25 + 0.1


def test_rotation_hides_the_factors_and_mixing_lies_between():
    entangled, mixed = dci(ENTANGLED, FACTORS, trees=3), dci(MIXED, FACTORS, trees=3)
    assert entangled.disentanglement < 0.15
    assert entangled.disentanglement + 0.1 < mixed.disentanglement < 0.9
    assert sap(ENTANGLED, FACTORS, ORDERED).score < 1e-9  # all squared correlations are 1/4
    assert 0.1 < sap(MIXED, FACTORS, ORDERED).score < 0.9


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
    result = sap(codes, FACTORS, ORDERED)
    assert result.table.numpy() == pytest.approx(squared)
    ordered = np.sort(squared, axis=0)
    assert float(result) == pytest.approx((ordered[-1] - ordered[-2]).mean())


def test_sap_of_a_categorical_factor_is_balanced_accuracy():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(12_000) % 4 == 0).long()  # one class three times as frequent
    z = torch.rand(12_000, generator=generator, dtype=torch.float64) + 0.5 * labels
    codes = torch.stack([z, torch.rand(12_000, generator=generator), torch.zeros(12_000)], 1)
    result = sap(codes, labels[:, None])
    # U(0, 1) against U(0.5, 1.5): any threshold in the overlap is right in 3/4; noise in 1/2; dead latents in 0.
    assert result.table[:, 0].tolist() == pytest.approx([0.75, 0.5, 0.0], abs=0.03)
    assert result.score == pytest.approx(0.25, abs=0.04)


def test_sap_leaves_out_constant_factors():
    constant = torch.cat([FACTORS, torch.ones_like(FACTORS[:, :1])], 1)
    result = sap(IDENTITY, constant, ORDERED)
    assert result.gaps[-1].isnan()
    assert result.score == pytest.approx(sap(IDENTITY, FACTORS, ORDERED).score)


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


@pytest.mark.parametrize("sizes", [(32, 32), (4, 3), (91, 31, 4)])
def test_a_perfect_code_scores_one_whatever_the_number_of_values(sizes):
    """Each latent is its own factor with noise of 2 % of a step; bins of quantiles gave .62 to .93."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.stack([torch.randint(size, (15_000,), generator=generator) for size in sizes], 1)
    noise = torch.randn(factors.shape, generator=generator, dtype=torch.float64)
    codes = (factors.double() + 0.02 * noise) / torch.tensor(sizes)
    scores = dci(codes, factors)
    assert min(scores.disentanglement, scores.completeness, scores.informativeness) > 0.99
    assert sap(codes, factors).table.diagonal().tolist() == pytest.approx([1.0] * len(sizes), abs=1e-9)
    assert sap(codes, factors).score > 0.6  # by chance the second best reaches 1/3


def test_boosting_of_a_perfect_code():
    scores = dci(IDENTITY[::4], FACTORS[::4, :2], regressor="boosting", trees=5)
    assert scores.disentanglement > 0.99
    assert scores.informativeness > 0.95


def test_scores_do_not_depend_on_how_categories_are_numbered():
    """Four categories renamed 2 0 3 1: regressed on their numbers SAP was .43 and .15."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(4, (600, 2), generator=generator)
    codes = factors.double() + 0.3 * torch.randn(600, 2, generator=generator, dtype=torch.float64)
    renamed = torch.stack([torch.tensor([2, 0, 3, 1])[factors[:, 0]], factors[:, 1]], 1)
    assert sap(codes, renamed).gaps.tolist() == sap(codes, factors).gaps.tolist()
    assert sap(codes, renamed, ordered=[1]).gaps.tolist() == sap(codes, factors, ordered=[1]).gaps.tolist()
    assert sap(codes, renamed, ordered=[0, 1]).score < 0.8 * sap(codes, factors, ordered=[0, 1]).score
    first, second = dci(codes, factors), dci(codes, renamed)
    assert (first.disentanglement, first.informativeness) == (second.disentanglement, second.informativeness)


def test_names_that_are_known_to_have_an_order():
    assert ordered_factors(("shape", "scale", "orientation", "x", "y")) == (1, 2, 3, 4)
    assert ordered_factors(("model", "category", "object_type", "folder", "label")) == ()


def test_sap_by_the_linear_machine_of_disentanglement_lib():
    """Two categories it tells apart; of ten, one against the rest cannot single out the middle ones."""
    generator = torch.Generator().manual_seed(0)
    for size, low, high in ((2, 0.99, 1.0), (10, 0.1, 0.5)):
        factor = torch.randint(size, (3000, 1), generator=generator)
        codes = (factor + 0.02 * torch.randn(3000, 1, generator=generator)) / size
        assert low <= sap(codes, factor, classifier="svm").score <= high
        assert sap(codes, factor).score == pytest.approx(1.0)


def test_copies_of_one_image_are_no_vote():
    """An identity with one image a value made every vote 64 copies, and noise scored .91."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(300, 5, generator=generator)
    coin = torch.randint(2, (300,), generator=generator)
    alone = torch.stack([torch.arange(300), coin], 1)
    once = torch.stack([torch.arange(300).clamp(min=60), coin], 1)  # one value alone has several images
    for factors in (alone, once):
        with pytest.raises(InputError, match="fewer than two values of factor 0 have two images"):
            factor_vae_score(codes, factors)
    people = torch.cat([torch.arange(200), torch.arange(100)])  # 100 with two images, 100 with one
    result = factor_vae_score(codes, torch.stack([people, coin], 1))
    assert result.left_out.tolist() == [100, 0]
    assert result.score < 0.65


@pytest.mark.parametrize("score", [dci, sap, factor_vae_score])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_codes_that_are_not_finite_are_refused(score, value):
    codes = IDENTITY.clone()
    codes[5, 0] = value
    with pytest.raises(InputError, match="image 5 is not finite"):
        score(codes, FACTORS)


@pytest.mark.parametrize("score", [dci, sap])
def test_a_missing_library_is_one_line(score, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in ("sklearn.ensemble", "sklearn.svm", "sklearn.tree"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'seatbelt-vae\[measure\]'"):
        score(IDENTITY, FACTORS)


def test_refusals():
    with pytest.raises(InputError, match="a row per image"):
        dci(NOISE[:5], FACTORS)
    with pytest.raises(InputError, match="at least 1 and 2"):
        factor_vae_score(NOISE, FACTORS, batch_size=1)
    with pytest.raises(InputError, match=r"expected \(N, D\)"):
        sap(NOISE[:, 0], FACTORS)
    with pytest.raises(InputError, match="no factor 4"):
        sap(NOISE, FACTORS, ordered=[4])
    with pytest.raises(InputError, match="choose 'forest' or 'boosting'"):
        dci(NOISE, FACTORS, regressor="lasso")
    with pytest.raises(InputError, match="choose 'thresholds' or 'svm'"):
        sap(NOISE, FACTORS, classifier="lasso")
