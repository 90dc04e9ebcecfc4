import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.passes import draw_noise, image_stream, passes
from seatbelt_vae.metrics.posteriors import encode_images
from seatbelt_vae.models import build


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_means_are_propagated_without_a_seed(linear_gaussian, batch_size):
    model = linear_gaussian(2)
    x = model.draw(7)
    for ours, whole in zip(encode_images(model, x, batch_size=batch_size), model.encode(x), strict=True):
        torch.testing.assert_close(ours.loc, whole.loc)
        torch.testing.assert_close(ours.scale, whole.scale)


def test_samples_are_propagated_with_a_seed(linear_gaussian):
    model = linear_gaussian(2)
    x = model.draw(400)
    means, sampled = encode_images(model, x), encode_images(model, x, seed=0)
    torch.testing.assert_close(sampled[0].loc, means[0].loc)
    gain = model.link.diagonal() / model.link_noise**2 / model.top_precision
    spread = (sampled[1].loc - means[1].loc).std(0)
    torch.testing.assert_close(spread, gain * model.scale[:2], rtol=0.15, atol=0)
    again = encode_images(model, x, batch_size=7, seed=0)
    torch.testing.assert_close(again[1].loc, sampled[1].loc)


def test_every_image_has_its_own_standard_normal_stream():
    streams = [image_stream(0, index) for index in range(300)]
    a, b = draw_noise(streams, 100, [2, 3], torch.zeros(1, dtype=torch.float32))
    assert a.shape == (30_000, 2)
    assert b.dtype == torch.float32
    noise = torch.cat([a, b], 1)
    assert noise.mean(0).abs().max() < 0.03
    torch.testing.assert_close(torch.cov(noise.T), torch.eye(5), atol=0.04, rtol=0)
    first, second = (noise[i * 100 : (i + 1) * 100].flatten() for i in (0, 1))
    assert torch.corrcoef(torch.stack([first, second]))[0, 1].abs() < 0.15


def test_passes_cover_every_image_and_draw_once(linear_gaussian):
    model = linear_gaussian(2)
    x = model.draw(5)
    seen = torch.zeros(5)
    for each in passes(model, x, samples=7, batch_size=3, seed=0):
        assert len(each.x) <= 3
        torch.testing.assert_close(each.per_image(each.x)[:, 0], x[each.rows])
        seen[each.rows] += each.samples
    assert seen.tolist() == [7.0] * 5


def test_refusals(linear_gaussian):
    model = linear_gaussian(1)
    for x, batch_size in ((model.draw(0), 4), (model.draw(2), 0)):
        with pytest.raises(InputError, match="at least 1 of each"):
            encode_images(model, x, batch_size=batch_size)


@pytest.mark.parametrize("posterior", ["chain", "chain-x", "ladder", "top-down", "bidirectional"])
def test_several_draws_of_an_image_are_those_of_the_image_repeated(posterior):
    torch.manual_seed(0)
    model = build("seatbelt", (1, 28, 28), latent_sizes=(4, 2), network="tiny", posterior=posterior).double().eval()
    x = torch.rand(3, 1, 28, 28, dtype=torch.float64)
    noise = model.draw_noise(12)
    once, repeated = model(x, noise), model(x.repeat_interleave(4, 0), noise)
    assert len(once.z[0]) == 12
    for a, b in zip((*once.z, once.likelihood.mean), (*repeated.z, repeated.likelihood.mean), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
