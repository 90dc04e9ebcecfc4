import math

import pytest
import torch
from torch.distributions import Normal

from seatbelt_vae.metrics import mixture
from seatbelt_vae.metrics.mixture import mixture_log_density


def problem(N, D, S, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(N, D, generator=generator, dtype=torch.float64)
    scale = torch.rand(N, D, generator=generator, dtype=torch.float64) * 0.9 + 0.02
    z = loc[torch.randint(N, (S,), generator=generator)] + 0.3 * torch.randn(S, D, generator=generator).double()
    return z.to(dtype), loc.to(dtype), scale.to(dtype)


def enumerated(z, loc, scale):
    log_prob = Normal(loc.double(), scale.double()).log_prob(z.double()[:, None])
    return log_prob.sum(-1).logsumexp(1) - math.log(len(loc)), log_prob.logsumexp(1) - math.log(len(loc))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 3e-5)])
@pytest.mark.parametrize(("N", "D", "S"), [(1, 1, 1), (7, 3, 5), (2500, 4, 40), (300, 60, 200)])
def test_matches_enumeration(N, D, S, dtype, tolerance):
    z, loc, scale = problem(N, D, S, dtype)
    joint, marginals = mixture_log_density(z, loc, scale)
    assert joint.dtype == marginals.dtype == torch.float64
    for ours, truth in zip((joint, marginals), enumerated(z, loc, scale), strict=True):
        torch.testing.assert_close(ours, truth, atol=tolerance * math.sqrt(D), rtol=tolerance)


@pytest.mark.parametrize(("entries", "columns"), [(1, 1), (64, 16), (140, 7), (10**6, 7)])
def test_tiles_are_invisible(monkeypatch, entries, columns):
    z, loc, scale = problem(50, 3, 20)
    whole = mixture_log_density(z, loc, scale)
    monkeypatch.setattr(mixture, "CPU_TILE", entries)
    monkeypatch.setattr(mixture, "COLUMNS", columns)
    blocks = []
    for ours, truth in zip(mixture_log_density(z, loc, scale, advance=blocks.append), whole, strict=True):
        torch.testing.assert_close(ours, truth)
    assert sum(blocks) == 50


def test_samples_far_from_every_component_keep_their_density():
    z, loc, scale = problem(40, 2, 6)
    z[0] = 500.0  # exp(-100 000) is no number, its logarithm is
    z[1, 1] = -60.0
    for ours, truth in zip(mixture_log_density(z, loc, scale), enumerated(z, loc, scale), strict=True):
        torch.testing.assert_close(ours, truth)


def test_one_very_narrow_component_does_not_hide_the_others():
    z, loc, scale = problem(40, 2, 6, torch.float32)
    scale[3] = 1e-12
    for ours, truth in zip(mixture_log_density(z, loc, scale), enumerated(z, loc, scale), strict=True):
        torch.testing.assert_close(ours, truth, atol=1e-4, rtol=1e-4)


def test_a_common_offset_costs_no_digits():
    z, loc, scale = problem(60, 3, 30)
    offset = 4096.0
    truth = enumerated((z + offset).float(), (loc + offset).float(), scale.float())
    ours = mixture_log_density((z + offset).float(), (loc + offset).float(), scale.float())
    for mine, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_joint_can_be_left_out():
    z, loc, scale = problem(30, 3, 8)
    joint, marginals = mixture_log_density(z, loc, scale, joint=False)
    assert joint.isnan().all()
    torch.testing.assert_close(marginals, enumerated(z, loc, scale)[1])
