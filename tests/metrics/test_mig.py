import math

import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.factors import check_factors
from seatbelt_vae.metrics.mig import mig
from seatbelt_vae.metrics.total_correlation import draw_aggregate

GRID = torch.cartesian_prod(torch.arange(3), torch.arange(4), torch.arange(5))
UNIFORM = [0.028690481339957948, 0.011570242734906002, 0.007094965687370865]


def information_of_mixture(means, scale):
    """I(z; v) for z = N(means[v], scale²), v uniform, by quadrature."""

    def integrand(z):
        each = stats.norm.pdf(z, means, scale)
        return -each.mean() * math.log(each.mean())

    entropy = integrate.quad(integrand, min(means) - 9 * scale, max(means) + 9 * scale, limit=200)[0]
    return entropy - stats.norm.entropy(0, scale)


def test_closed_form_on_a_toy():
    factors = torch.cartesian_prod(torch.arange(3), torch.arange(4)).repeat(50, 1)
    strong, weak = [-1.5, 0.0, 1.5], [0.0, 0.5, 1.0, 1.5]
    loc = torch.stack([torch.tensor(strong)[factors[:, 0]], torch.tensor(weak)[factors[:, 1]]], 1).double()
    loc = torch.cat([loc, loc[:, :1] / 2], 1)  # a second, worse latent for the first factor
    result = mig(Normal(loc, 0.6), factors, samples=20_000)
    first, second = information_of_mixture(strong, 0.6), information_of_mixture([m / 2 for m in strong], 0.6)
    other = information_of_mixture(weak, 0.6)
    expected = torch.tensor([[first, 0.0], [0.0, other], [second, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(result.mutual_information, expected, atol=0.02, rtol=0)
    gaps = [(first - second) / math.log(3), other / math.log(4)]
    assert result.gaps.tolist() == pytest.approx(gaps, abs=0.02)
    assert result.score == pytest.approx(sum(gaps) / 2, abs=0.02)
    assert result.entropies[1].item() == pytest.approx(other + stats.norm.entropy(0, 0.6), abs=0.03)


def test_matches_enumeration():
    generator = torch.Generator().manual_seed(0)
    loc = torch.randn(60, 4, generator=generator, dtype=torch.float64) + GRID[:, :1]
    q = Normal(loc, 0.3 + torch.rand(60, 4, generator=generator, dtype=torch.float64))
    index, z = draw_aggregate(q, 60, seed=5)
    log_prob = q.log_prob(z[:, None])  # (S, N, D)
    marginal = log_prob.logsumexp(1) - math.log(60)
    result = mig(q, GRID, samples=None, seed=5)
    for k, size in enumerate((3, 4, 5)):
        same = GRID[index, k][:, None] == GRID[:, k]
        conditional = log_prob.masked_fill(~same[..., None], -math.inf).logsumexp(1) - math.log(60 / size)
        information = (conditional - marginal).mean(0).clamp(min=0)
        torch.testing.assert_close(result.mutual_information[:, k], information)
        top = information.sort(descending=True).values
        assert result.gaps[k].item() == pytest.approx(float(top[0] - top[1]) / math.log(size))


def test_latents_that_are_the_factors():
    assert float(mig(Normal(GRID.double(), 0.05), GRID)) > 0.95


def test_rotation_hides_them():
    rotated = GRID.double() @ torch.linalg.qr(torch.tensor([[1.0, 1, 1], [1, -1, 0], [1, 1, -2]]).double())[0]
    assert mig(Normal(rotated, 0.3), GRID).score < 0.4


def test_noise():
    factors = GRID.repeat(40, 1)
    loc = torch.randn(len(factors), 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert mig(Normal(loc, 0.4), factors, samples=2400).score < 0.02
    assert mig(Normal(torch.zeros(2400, 6), 1.0), factors, samples=2400).score < 0.02  # collapsed


def test_single_latent_and_constant_factor():
    factors = torch.stack([torch.arange(6) % 3, torch.zeros(6, dtype=torch.long)], 1)
    result = mig(Normal(factors[:, :1].double(), 0.01), factors, samples=600)
    assert result.gaps[0].item() == pytest.approx(1.0)
    assert result.gaps[1].isnan()
    assert result.score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (torch.zeros(5, 2), "expected integers"),
        (torch.zeros(4, 2, dtype=torch.long), "a row per image"),
        (torch.zeros(5, dtype=torch.long), "a row per image"),
        (torch.zeros(5, 2, dtype=torch.long), "two values"),
    ],
)
def test_refusals(factors, message):
    with pytest.raises(InputError, match=message):
        check_factors(factors, 5)


def test_the_error_is_the_spread_over_draws():
    generator = torch.Generator().manual_seed(1)
    factors = GRID.repeat(5, 1)
    loc = factors.double() * torch.tensor([1.0, 0.4, 0.2]) + 0.3 * torch.randn(300, 3, generator=generator).double()
    found = [mig(Normal(loc, 0.7), factors, samples=150, seed=seed) for seed in range(40)]
    spread = torch.tensor([each.score for each in found]).std().item()
    assert sum(each.standard_error for each in found) / 40 == pytest.approx(spread, rel=0.35)


def test_a_code_that_equals_an_unbalanced_factor_has_gap_one():
    """A factor with 5 % ones has .199 nats; over log 2 its gap would be .29."""
    rare = (torch.arange(2000) < 100).long()
    factors = torch.stack([rare, torch.arange(2000) % 2], 1)
    result = mig(Normal(factors.double(), 0.01), factors, samples=None)
    information = stats.entropy([0.05, 0.95])
    assert result.mutual_information[0, 0].item() == pytest.approx(information, rel=1e-6)
    assert result.gaps.tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
    assert result.score == pytest.approx(1.0, abs=1e-4)


def test_uniform_factors_are_divided_by_the_logarithm_of_their_size():
    """Values of the code before, which divided by log |V_k|: uniform factors keep every digit."""
    loc = ((torch.arange(240, dtype=torch.float64) * math.sqrt(2)) % 1).view(60, 4) + GRID[:, :1]
    result = mig(Normal(loc, 0.4), GRID, samples=None, seed=5)
    assert result.gaps.tolist() == pytest.approx(UNIFORM, rel=1e-12)
