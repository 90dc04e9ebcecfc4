"""What each q(z_l|·) looks at, read off the Jacobian's zeros, and how a layer's noise becomes its sample."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, biva, dlgm, seatbelt_vae
from seatbelt_vae.models import posteriors as module
from seatbelt_vae.models.posteriors import precision_weighted
from tests.tiny import network

SHAPE, SIZES = (1, 6, 6), (4, 6, 2)
POSTERIORS = ["chain", "chain-x", "top-down", "ladder", "bidirectional"]


def built(posterior: str, sizes: tuple[int, ...] = SIZES, make: Any = seatbelt_vae) -> HierarchicalVAE:
    torch.manual_seed(0)
    own = network(SHAPE, sizes[0] if make is dlgm else sum(sizes))
    model: HierarchicalVAE = make(SHAPE, sizes, network=own, posterior=posterior, hidden_sizes=(8,))
    return model.double().eval()


def images(count: int = 5) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def parents(model: HierarchicalVAE, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What the location of every draw depends on directly: every sample is replaced by a variable of its own."""
    x, drawn = images(3).requires_grad_(), []

    def draw(q: Normal, noise: Tensor | None) -> Tensor:
        drawn.append((q, torch.randn(q.loc.shape, dtype=torch.float64).requires_grad_()))
        return drawn[-1][1]

    monkeypatch.setattr(module, "draw", draw)
    model.posterior(x, model.draw_noise(3), model.generative)
    names = ["z3", "z2", "z1"] if drawn[0][0].loc.shape[1] == SIZES[2] else ["z1", "z2", "z3"]
    if len(drawn) == 5:  # halves up, the top, halves down
        names = ["z1u", "z2u", "z3", "z2d", "z1d"]
    variables = {"x": x} | {name: z for name, (_, z) in zip(names, drawn, strict=True)}
    found = {}
    for name, (q, _) in zip(names, drawn, strict=True):
        value = q.loc.sum() + q.scale.log().sum()
        gradients = torch.autograd.grad(value, list(variables.values()), retain_graph=True, allow_unused=True)
        pairs = zip(variables, gradients, strict=True)
        found[name] = {other for other, gradient in pairs if gradient is not None and gradient.abs().max() > 0}
    return found


@pytest.mark.parametrize(
    ("posterior", "expected"),
    [
        ("chain", {"z1": {"x"}, "z2": {"z1"}, "z3": {"z2"}}),
        ("chain-x", {"z1": {"x"}, "z2": {"z1", "x"}, "z3": {"z2", "x"}}),
        ("top-down", {"z3": {"x"}, "z2": {"z3", "x"}, "z1": {"z2", "x"}}),
        ("ladder", {"z3": {"x"}, "z2": {"z3", "x"}, "z1": {"z2", "x"}}),
        (
            "bidirectional",
            {
                "z1u": {"x"},
                "z2u": {"x", "z1u"},
                "z3": {"x", "z1u", "z2u"},
                "z2d": {"x", "z1u", "z3"},
                "z1d": {"x", "z2u", "z2d", "z3"},
            },
        ),
    ],
)
def test_every_conditional_sees_its_parents_and_nothing_else(
    posterior: str, expected: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parents(built(posterior), monkeypatch) == expected


def test_no_sample_is_its_own_ancestor() -> None:
    """q factorises: with noise fixed, z_l's own noise never reaches the parameters of q(z_l|·)."""
    for posterior in POSTERIORS:
        model = built(posterior)
        noise = [eps.requires_grad_() for eps in model.draw_noise(3)]
        for q, eps in zip(model.encode(images(3), noise), noise, strict=True):
            (gradient,) = torch.autograd.grad(q.loc.sum() + q.scale.sum(), eps, retain_graph=True, allow_unused=True)
            if posterior == "bidirectional" and gradient is not None:
                # The downward half may look at the upward half, by way of the layers above; never at itself.
                gradient = gradient[:, eps.shape[1] // 2 :]
            assert gradient is None or gradient.abs().max() == 0


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_ladders_weighting_uses_the_prior_and_the_others_do_not(posterior: str) -> None:
    model = built(posterior)
    q = model.encode(images(), model.draw_noise(5))
    value = sum((each.loc.sum() for each in q), start=torch.zeros(()))
    gradients = torch.autograd.grad(value, list(model.generative.parameters()), allow_unused=True)
    assert all((gradient is not None) == (posterior == "ladder") for gradient in gradients)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_encode_propagates_means_and_is_deterministic(posterior: str) -> None:
    model, x = built(posterior), images()
    first, second = model.encode(x), model.encode(x)
    zeros = [torch.zeros(5, size, dtype=torch.float64) for size in SIZES]
    for a, b, c in zip(first, second, model.encode(x, zeros), strict=True):
        assert torch.equal(a.loc, b.loc)
        assert torch.equal(a.scale, b.scale)
        assert torch.allclose(a.loc, c.loc, atol=1e-12)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_encode_with_noise_is_the_forward_pass(posterior: str) -> None:
    model, x = built(posterior), images()
    noise = model.draw_noise(5)
    encoding = model(x, noise)
    for a, b, z, eps in zip(encoding.q, model.encode(x, noise), encoding.z, noise, strict=True):
        assert torch.equal(a.loc, b.loc)
        assert torch.equal(a.scale, b.scale)
        assert torch.allclose(z, a.loc + a.scale * eps, atol=1e-14)
    different = [(a.loc != b.loc).any() for a, b in zip(model.encode(x), model.encode(x, noise), strict=True)]
    assert sum(different) >= len(SIZES) - 1  # all but the layer that reads x alone


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("sizes", [(4,), (4, 3), (2, 4, 6, 1)])
def test_any_depth(posterior: str, sizes: tuple[int, ...]) -> None:
    model = built(posterior, sizes)
    encoding = model(images())
    for part in (encoding.q, encoding.p):
        assert [tuple(each.loc.shape) for each in part] == [(5, size) for size in sizes]
    assert [tuple(z.shape) for z in encoding.z] == [(5, size) for size in sizes]


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_examples_of_a_batch_do_not_see_each_other(posterior: str) -> None:
    model, x = built(posterior), images()
    noise = model.draw_noise(5)
    whole, part = model.encode(x, noise), model.encode(x[3:], [eps[3:] for eps in noise])
    for a, b in zip(whole, part, strict=True):
        assert torch.allclose(a.loc[3:], b.loc, atol=1e-12)


def test_precision_weighting_is_the_product_of_densities() -> None:
    generator = torch.Generator().manual_seed(0)
    loc_a, loc_b = torch.randn(2, 50, generator=generator, dtype=torch.float64)
    scale_a, scale_b = 0.1 + torch.rand(2, 50, generator=generator, dtype=torch.float64)
    a, b = Normal(loc_a, scale_a), Normal(loc_b, scale_b)
    q = precision_weighted(a, b)
    z = torch.linspace(-3, 3, 9, dtype=torch.float64)[:, None]
    difference = a.log_prob(z) + b.log_prob(z) - q.log_prob(z)  # constant in z: that is what ∝ means
    assert torch.allclose(difference, difference[:1].expand_as(difference), atol=1e-9)
    # And the constant is the overlap ∫ a b = N(μ_a; μ_b, σ_a² + σ_b²).
    assert torch.allclose(difference[0], Normal(loc_b, (scale_a**2 + scale_b**2).sqrt()).log_prob(loc_a), atol=1e-9)


def test_ladder_posterior_is_sharper_than_its_prior() -> None:
    encoding = built("ladder")(images())
    for q, p in itertools.islice(zip(encoding.q, encoding.p, strict=True), 2):
        assert (q.scale < p.scale).all()


def test_bidirectional_halves() -> None:
    """Upward noise of z_1 moves the layers above, downward noise does not; neither moves q(z_1↑)."""
    model, x = built("bidirectional"), images()
    noise = model.draw_noise(5)
    base = model.encode(x, noise)

    def moved(half: slice) -> list[Tensor]:
        changed = [noise[0].clone(), *noise[1:]]
        changed[0][:, half] += 1
        return [(a.loc != b.loc).any(0) for a, b in zip(base, model.encode(x, changed), strict=True)]

    up, down = moved(slice(0, 2)), moved(slice(2, 4))
    assert not any(layer.any() for layer in down)
    assert up[2].all()
    assert up[1].all()
    assert not up[0][:2].any()
    assert up[0][2:].all()


@pytest.mark.parametrize("sizes", [(3, 2), (4, 5, 2), (1, 1)])
def test_biva_refuses_layers_it_cannot_halve(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must be even"):
        built("bidirectional", sizes, biva)


def test_priors_of_biva_see_every_layer_above() -> None:
    model = built("bidirectional", (4, 2, 2), biva)
    z = [torch.randn(3, size, dtype=torch.float64).requires_grad_() for size in (4, 2, 2)]
    p = model.prior(z)
    gradients = torch.autograd.grad(p[0].loc.sum(), z, allow_unused=True)
    assert [gradient is not None for gradient in gradients] == [False, True, True]
    plain = built("chain", (4, 2, 2)).prior(z)
    gradients = torch.autograd.grad(plain[0].loc.sum(), z, allow_unused=True)
    assert [gradient is not None for gradient in gradients] == [False, True, False]


@pytest.mark.parametrize("make", [dlgm, seatbelt_vae])
def test_what_the_decoder_sees(make: Any) -> None:
    model = built("chain", make=make)
    z = [torch.randn(3, size, dtype=torch.float64).requires_grad_() for size in SIZES]
    gradients = torch.autograd.grad(model.decode(z).mean.sum(), z, allow_unused=True)
    assert [gradient is not None for gradient in gradients] == [True, make is seatbelt_vae, make is seatbelt_vae]
    assert model.decoder_sees == ("all" if make is seatbelt_vae else "bottom")


def test_ancestral_samples_follow_the_prior() -> None:
    """The standardised draws of every layer are standard normal under the model's own prior."""
    model = built("chain")
    top = torch.randn(20_000, SIZES[-1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = model.generative.sample(top, torch.Generator().manual_seed(1))
    for p, each in zip(model.prior(z), z, strict=True):
        standardised = (each - p.loc) / p.scale
        assert standardised.mean(0).abs().max() < 4 / math.sqrt(20_000)
        assert (standardised.var(0) - 1).abs().max() < 0.05
    again = model.generative.sample(top, torch.Generator().manual_seed(1))
    assert all(map(torch.equal, z, again))
