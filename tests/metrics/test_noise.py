import math

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.noise import Noise, noise_robustness


def closed_form(model, x, noise_scale):
    """E log p(x|z*) for z* ~ N(A(x + ε) + a, S): everything is Gaussian. `noise_scale` in the data's own units."""
    with torch.no_grad():
        q, W = model.encode(x)[0], model.decoder
        A = model.posterior_map()
        covariance = torch.diag(q.scale[0] ** 2) + noise_scale**2 * A @ A.T
        error = (x.flatten(1) - q.loc @ W.T - model.bias).square().sum(1) + (W @ covariance @ W.T).trace()
        return -3 * math.log(2 * math.pi * model.noise**2) - error / (2 * model.noise**2)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("depth", [1, 2])
def test_linear_model_in_closed_form(linear_gaussian, depth, bounds):
    model = linear_gaussian(depth, loosen=1.3)
    x = model.draw(6)
    result = noise_robustness(model, x, Noise((0.1, 1.0), bounds), samples=6000, batch_size=20_000)
    half = (bounds[1] - bounds[0]) / 2
    torch.testing.assert_close(result.clean, closed_form(model, x, 0.0), atol=0.3, rtol=0)
    for k, scale in enumerate(result.scales):
        truth = closed_form(model, x, scale * half)
        torch.testing.assert_close(result.log_likelihood[k], truth, atol=0.05 + 0.3 * scale, rtol=0.02)
        drop = float((closed_form(model, x, 0.0) - truth).mean())
        assert result.drop[k].value == pytest.approx(drop, rel=0.03, abs=0.01)


def test_no_noise_is_clean_and_more_is_worse(linear_gaussian):
    model = linear_gaussian(2)
    result = noise_robustness(model, model.draw(4), Noise((0.0, 0.5, 3.0)), samples=50)
    torch.testing.assert_close(result.log_likelihood[0], result.clean)
    mean = result.log_likelihood.mean(1)
    assert mean[0] > mean[1] > mean[2]
    assert [row["scale"] for row in result.summary()] == [0.0, 0.5, 3.0]
    assert result.summary()[2]["drop"] == pytest.approx(float((result.clean - result.log_likelihood[2]).mean()))


def test_batching_changes_nothing_and_the_seed_does(linear_gaussian):
    model = linear_gaussian(2)
    x = model.draw(5)
    whole = noise_robustness(model, x, Noise((0.3,)), samples=4).log_likelihood
    torch.testing.assert_close(noise_robustness(model, x, Noise((0.3,)), samples=4, batch_size=3).log_likelihood, whole)
    assert not torch.equal(noise_robustness(model, x, Noise((0.3,)), samples=4, seed=1).log_likelihood, whole)


def test_clamping_keeps_the_noisy_image_in_bounds(linear_gaussian):
    class Watched(linear_gaussian):
        def encode(self, x, noise=None):
            seen.append((x.min().item(), x.max().item()))
            return super().encode(x, noise)

    for clamp in (False, True):
        seen = []
        noise_robustness(Watched(1), torch.rand(3, 1, 2, 3).double(), Noise((2.0,), clamp=clamp), samples=20)
        assert (min(low for low, _ in seen) >= 0 and max(high for _, high in seen) <= 1) == clamp


def test_refusals(linear_gaussian):
    model = linear_gaussian(1)
    with pytest.raises(InputError, match="none below 0"):
        Noise((-0.1,))
    with pytest.raises(InputError, match="at least one"):
        Noise(())
    with pytest.raises(InputError, match="0 images"):
        noise_robustness(model, model.draw(0))
