"""Objectives that wrap another one: what they change, and that they change nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.objectives import (
    AVAE,
    ELBO,
    Adversarial,
    Batch,
    BetaTC,
    Denoising,
    FactorVAE,
    Objective,
    SmoothEncoder,
)
from seatbelt_vae.objectives.avae import inconsistency
from seatbelt_vae.objectives.perturbation import Ball, worst_case
from seatbelt_vae.objectives.smooth_encoder import moved, squared_w2
from tests.objectives.battery import DATA_SIZE, MODELS, OBJECTIVES, built, images

SHAPE = (1, 28, 28)
Wrap = Callable[[Objective], Objective]

IDLE: dict[str, Wrap] = {
    "adversarial": lambda base: Adversarial(base, radius=0.0),
    "denoising": lambda base: Denoising(base, radius=0.0),
    "smooth": lambda base: SmoothEncoder(base, radius=0.0),
    "smooth, no price": lambda base: SmoothEncoder(base, radius=1.0, gamma=0.0),
    "avae": lambda base: AVAE(base, weight=0.0),
    "all": lambda base: SmoothEncoder(AVAE(Adversarial(base, radius=0.0), weight=0.0), radius=0.0),
}
ROBUST: dict[str, Wrap] = {
    "adversarial": lambda base: Adversarial(base, radius=1.0),
    "reconstruction": lambda base: Adversarial(base, radius=1.0, target="reconstruction"),
    "targeted": lambda base: Adversarial(base, radius=1.0, target="targeted", share=1.0),
    "denoising": lambda base: Denoising(base, radius=1.0),
    "smooth": lambda base: SmoothEncoder(base, radius=1.0),
    "avae": lambda base: AVAE(base),
    "adversarial + smooth": lambda base: SmoothEncoder(Adversarial(base, radius=1.0), radius=1.0),
}


def ball_of(x: Tensor, radius: float) -> Ball:
    return Ball(x, torch.full((len(x), 1), radius), (0.0, 1.0))


def pass_over(objective: Objective, model: HierarchicalVAE, x: Tensor) -> tuple[Any, Any]:
    encoding = objective.encode(model, Batch.of(model, x))
    return encoding, objective(encoding, x, DATA_SIZE)


def gradients(objective: Objective) -> list[Tensor]:
    model, x = built("seatbelt", "bernoulli", SHAPE).train(), images("bernoulli", 6, SHAPE)
    _, terms = pass_over(objective, model, x)
    return list(torch.autograd.grad(terms.loss, list(model.parameters()), allow_unused=True))


@pytest.mark.parametrize("wrap", IDLE.values(), ids=IDLE)
@pytest.mark.parametrize("base", ["elbo", "mss", "hfvae"])
def test_without_radius_or_weight_every_gradient_is_the_base_s_to_the_bit(wrap: Wrap, base: str) -> None:
    plain = OBJECTIVES[base]()
    for before, after in zip(gradients(plain), gradients(wrap(plain)), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("wrap", ROBUST.values(), ids=ROBUST)
@pytest.mark.parametrize("name", MODELS)
def test_every_hierarchy_takes_every_wrapper(wrap: Wrap, name: str) -> None:
    model, x = built(name, "bernoulli", SHAPE).train(), images("bernoulli", 6, SHAPE)
    _, terms = pass_over(wrap(BetaTC(beta=3.0)), model, x)
    terms.loss.backward()
    assert all(torch.isfinite(torch.tensor(value)) for value in terms.summary().values())
    assert all(weight.grad is not None and torch.isfinite(weight.grad).all() for weight in model.parameters())


@pytest.mark.parametrize("kind", [Adversarial, Denoising])
def test_a_share_is_encoded_elsewhere_and_the_clean_image_explained(kind: Any) -> None:
    model, x = built("vae", "gaussian", SHAPE).eval(), 0.5 * torch.ones(10, *SHAPE)
    encoding, terms = pass_over(kind(ELBO(), radius=0.5, share=0.3, spread=0.0), model, x)
    clean = model.encode(x)[0].loc
    moved = (encoding.q[0].loc - clean).abs().amax(-1) > 1e-6
    assert moved.tolist() == [True] * 3 + [False] * 7
    torch.testing.assert_close(terms.log_likelihood, model.decode(encoding.z).log_prob(x))


def test_the_adversarial_rows_are_the_worst_of_the_ball() -> None:
    """The encoding is that of `worst_case` with the batch's own generator."""
    model, x = built("seatbelt", "gaussian", SHAPE).eval(), images("gaussian", 6, SHAPE)
    latent: Any = {"inner_steps": 5, "target": "untargeted-latent"}
    objective = Adversarial(ELBO(), radius=0.5, share=1.0, spread=0.0, **latent)
    batch = Batch.of(model, x)
    encoding = objective.encode(model, batch)
    again = Batch.of(model, x)
    worst = worst_case(model, ball_of(x, 0.5), again.generator)
    assert torch.equal(encoding.q[0].loc, model(worst, again.noise).q[0].loc)
    random = ball_of(x, 0.5).random(torch.Generator().manual_seed(3))
    farther = kl_divergence(encoding.q[0], model.encode(x)[0]).sum(-1)
    near = kl_divergence(model.encode(random)[0], model.encode(x)[0]).sum(-1)
    assert (farther > 2 * near).all()


def test_the_radius_rises_over_the_first_share_of_the_steps() -> None:
    model, x = built("vae", "gaussian", SHAPE).eval(), 0.5 * torch.ones(4, *SHAPE)
    objective = Denoising(ELBO(), radius=1.0, ramp=0.5, share=1.0, spread=0.0)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    for step in (0, 10, 25, 50, 99):
        objective.at(step, 100).encode(model, Batch.of(model, x))
    lengths = [float(torch.linalg.vector_norm(image[0] - x[0])) for image in seen]
    assert lengths == pytest.approx([0.0, 0.2, 0.5, 1.0, 1.0], abs=1e-5)


def test_a_spread_gives_every_image_a_radius_of_its_own() -> None:
    model, x = built("vae", "gaussian", SHAPE).eval(), 0.5 * torch.ones(400, *SHAPE)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    Denoising(ELBO(), radius=2.0, spread=0.75, share=1.0).encode(model, Batch.of(model, x))
    length = torch.linalg.vector_norm((seen[0] - x).flatten(1), dim=1)
    assert 0.5 <= float(length.min()) < 0.52
    assert 1.98 < float(length.max()) <= 2.0
    assert float(length.mean()) == pytest.approx(1.25, abs=0.1)


def test_bounds_of_minus_one_to_one_are_kept() -> None:
    model, x = built("vae", "gaussian", SHAPE).eval(), torch.full((4, *SHAPE), -1.0)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    batch = Batch(x, model.draw_noise(4), torch.Generator().manual_seed(0), (-1.0, 1.0))
    Adversarial(ELBO(), radius=3.0).encode(model, batch)
    assert float(seen[0].min()) == -1.0
    assert -1.0 < float(seen[0].max()) <= 1.0


def test_squared_w2_is_that_of_the_covariances() -> None:
    r"""W2² = ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₂^½ Σ₁ Σ₂^½)^½), by a matrix root."""
    from scipy.linalg import sqrtm

    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 5, generator=generator, dtype=torch.float64) + 0.1 for _ in range(2))
    first, second = a[1].diag() ** 2, b[1].diag() ** 2
    root = torch.tensor(sqrtm((second.sqrt() @ first @ second.sqrt()).numpy()).real)
    expected = (a[0] - b[0]).square().sum() + torch.trace(first + second - 2 * root)
    found = squared_w2(Normal(a[:1], a[1:]), Normal(b[:1], b[1:]))
    torch.testing.assert_close(found, expected[None])


def test_the_term_of_avae_is_a_kl_averaged_over_z() -> None:
    """By a million samples of z, and in closed form: the KL at the mean, and ρ²σ² / 2(1 - ρ²) from its spread."""
    q = Normal(torch.tensor([[0.3, -1.0]]).double(), torch.tensor([[0.5, 0.2]]).double())
    tilde = Normal(torch.tensor([[0.1, -0.8]]).double(), torch.tensor([[0.4, 0.3]]).double())
    rho, variance = 0.9, 1 - 0.9**2
    found = inconsistency(q, tilde, rho)
    prior = Normal(rho * q.loc, variance**0.5)
    closed = kl_divergence(tilde, prior).sum() + (rho * q.scale).square().sum() / (2 * variance)
    torch.testing.assert_close(found, closed[None])
    noise = torch.randn(10**6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sampled = kl_divergence(tilde, Normal(rho * (q.loc + q.scale * noise), variance**0.5)).sum(-1).mean()
    torch.testing.assert_close(found[0], sampled, rtol=2e-3, atol=0)


def test_avae_encodes_its_own_decoding() -> None:
    model, x = built("seatbelt", "bernoulli", SHAPE).eval(), images("bernoulli", 6, SHAPE)
    objective = AVAE(ELBO(), rho=0.9, weight=2.0)
    encoding, terms = pass_over(objective, model, x)
    again = model.encode(encoding.likelihood.mean)
    expected = sum(inconsistency(q, tilde, 0.9) for q, tilde in zip(encoding.q, again, strict=True))
    torch.testing.assert_close(terms.others["inconsistency"], expected)
    plain = ELBO()(encoding, x, DATA_SIZE).loss
    torch.testing.assert_close(terms.loss, plain + 2 * expected.mean())
    torch.testing.assert_close(terms.elbo, ELBO()(encoding, x, DATA_SIZE).elbo)


def test_no_gradient_of_avae_s_term_reaches_the_decoder() -> None:
    model, x = built("vae", "bernoulli", SHAPE).eval(), images("bernoulli", 6, SHAPE)
    term = AVAE(ELBO()).encode(model, Batch.of(model, x)).terms["inconsistency"].mean()
    decoder = torch.autograd.grad(term, list(model.likelihood.parameters()), allow_unused=True, retain_graph=True)
    encoder = torch.autograd.grad(term, list(model.posterior.parameters()))
    assert all(gradient is None for gradient in decoder)
    assert all(bool(gradient.any()) for gradient in encoder)


def test_the_smooth_encoder_prices_w2_between_both_posteriors() -> None:
    """Value and gradient, through both, are those of the two encoded one after the other."""
    model, x = built("vae", "gaussian", SHAPE).eval(), images("gaussian", 6, SHAPE)
    objective = SmoothEncoder(ELBO(), radius=0.5, share=1.0, spread=0.0)
    term = objective.encode(model, Batch.of(model, x)).terms["smoothness"].mean()
    worst = worst_case(model, ball_of(x, 0.5), Batch.of(model, x).generator)
    expected = squared_w2(model.encode(worst)[0], model.encode(x)[0]).mean()
    torch.testing.assert_close(term, expected)
    weights = list(model.posterior.parameters())
    found = zip(torch.autograd.grad(term, weights), torch.autograd.grad(expected, weights), strict=True)
    for after, before in found:
        torch.testing.assert_close(after, before)


def test_the_smooth_encoder_gains_nothing_from_a_shift_of_all_means() -> None:
    """So none of them drifts: the gradient of the bias of μ is 0."""
    model, x = built("vae", "gaussian", SHAPE).eval(), images("gaussian", 6, SHAPE)
    term = moved(model, x, (x + 0.1).clamp(max=1.0)).mean()
    bias = model.posterior.conditionals[0].network.bias
    (gradient,) = torch.autograd.grad(term, bias)
    latents = len(bias) // 2
    torch.testing.assert_close(gradient[:latents], torch.zeros(latents), atol=1e-6, rtol=0)
    assert bool(gradient[latents:].any())


def test_the_smooth_encoder_gains_nothing_from_weights_that_batch_norm_scales_back() -> None:
    torch.manual_seed(0)
    model, x = vae((1, 32, 32), latent_sizes=(3,)).train(), torch.rand(8, 1, 32, 32)
    worst = (x + 0.1 * torch.rand(x.shape)).clamp(max=1.0)
    with torch.no_grad():
        before = moved(model, x, worst)
        (convolution, *_) = (layer for layer in model.posterior.modules() if isinstance(layer, nn.Conv2d))
        convolution.weight *= 0.5
        torch.testing.assert_close(moved(model, x, worst), before, rtol=1e-2, atol=0)


def test_an_adversary_of_the_base_is_the_wrapper_s() -> None:
    base = FactorVAE.for_latent_size(3, width=4)
    objective = SmoothEncoder(Adversarial(base, radius=1.0), radius=1.0)
    assert objective.at(3, 10).adversary is base.discriminator
    assert Adversarial(BetaTC(tc_samples=64), radius=1.0).tc_samples == 64
    inner: Any = objective.at(3, 10).base
    assert inner.base.step == 3
    assert inner.done == 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adversarial(ELBO(), radius=-1.0), r"radius -1.0: must be a finite distance, zero or more"),
        (lambda: Adversarial(ELBO(), radius=float("nan")), r"radius nan: must be"),
        (lambda: Adversarial(ELBO(), radius=float("inf")), r"radius inf: must be"),
        (lambda: Adversarial(ELBO(), radius=1.0, inner_steps=0), r"inner_steps 0: must be 1 or more"),
        (lambda: Adversarial(ELBO(), radius=1.0, share=0.0), r"share 0.0: must be a share of the batch"),
        (lambda: Adversarial(ELBO(), radius=1.0, ramp=1.5), r"ramp 1.5: must be a share of the steps"),
        (lambda: Adversarial(ELBO(), radius=1.0, spread=-0.1), r"spread -0.1: must be a share of the radius"),
        (lambda: Adversarial(ELBO(), radius=1.0, target="moon"), r"target 'moon': must be one of untargeted-latent"),
        (lambda: Adversarial(3, radius=1.0), r"base: must be an objective such as ELBO\(\), is a int"),
        (lambda: Denoising(ELBO(), radius=-1.0), r"radius -1.0"),
        (lambda: SmoothEncoder(ELBO(), radius=1.0, gamma=-1.0), r"gamma -1.0: must be a finite number"),
        (lambda: AVAE(ELBO(), rho=1.0), r"rho 1.0: must be a correlation between -1 and 1"),
        (lambda: AVAE(ELBO(), weight=-2.0), r"weight -2.0: must be a finite number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_huge_radius_is_refused_at_the_first_step() -> None:
    model, x = built("vae", "bernoulli", SHAPE), images("bernoulli", 4, SHAPE)
    with pytest.raises(InputError, match="radius 100: is more than any two images differ, use at most 28"):
        Adversarial(ELBO(), radius=100.0).at(0, 1000).encode(model, Batch.of(model, x))
