"""The ELBO against log p(x), which linear-Gaussian hierarchies have in closed form."""

import math

import pytest
import torch
from torch import Tensor

from seatbelt_vae.metrics import iwae
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import ELBO
from tests.oracles import Equation, LinearGaussian, log_ratio, random, standard

SIZES = {1: [3], 2: [4, 3], 3: [4, 2, 2]}
EXACT = [
    (depth, sees_all, posterior)
    for depth in SIZES
    for sees_all in (False, True)
    for posterior in ("chain", "chain-x", "top-down", "ladder", "bidirectional")
    # The chain q(z_{l+1}|z_l) cannot be exact once the decoder sees z_{l+1} too.
    if not (sees_all and (depth == 1 or posterior == "chain"))
]


def repeated(model: HierarchicalVAE, x: Tensor, samples: int, seed: int, objective: ELBO | None = None) -> Tensor:
    """The ELBO of every image and draw, (B, samples)."""
    torch.manual_seed(seed)
    big = x.repeat_interleave(samples, dim=0)
    with torch.no_grad():
        return (objective or ELBO())(model(big), big, data_size=len(big)).elbo.view(len(x), samples)


def agrees(draws: Tensor, expected: Tensor, sharp: float = 0.05) -> bool:
    """Whether means of draws (B, samples) lie within 4 standard errors of what is expected, errors below `sharp`."""
    error = draws.std(1) / math.sqrt(draws.shape[1])
    assert error.max() < sharp
    return bool(((draws.mean(1) - expected).abs() < 4 * error + 1e-10).all())


def any_chain(oracle: LinearGaussian, seed: int) -> list[Equation]:
    """Some bottom-up posterior, q(z_1|x) Π q(z_{l+1}|z_l, x), that is not exact."""
    generator = torch.Generator().manual_seed(seed)
    equations = []
    for layer, size in enumerate(oracle.sizes[1:], start=1):
        parents = {0: oracle.sizes[0]} | ({layer - 1: oracle.sizes[layer - 1]} if layer > 1 else {})
        weights = {place: 0.3 * random(generator, size, parent) for place, parent in parents.items()}
        scale = 0.3 + 0.5 * torch.rand(size, generator=generator, dtype=torch.float64)
        equations.append(Equation(weights, 0.2 * random(generator, size), scale))
    return equations


def test_oracle_agrees_with_sampling() -> None:
    """The closed form itself, against the plain average of p(x|z) over the prior."""
    oracle = LinearGaussian.separable([2, 1], sees_all=True, image_shape=(1, 1, 3))
    model, x = oracle.exact("chain-x"), oracle.sample(3)
    torch.manual_seed(0)  # of the layers below the top, which `sample` draws itself
    z = model.generative.sample(random(torch.Generator().manual_seed(0), 100_000, 1))
    ratio = torch.stack([model.decode(z).log_prob(each) for each in x]) - oracle.log_evidence(x)[:, None]
    error = ratio.exp().std(1) / math.sqrt(100_000)
    assert (error < 0.05).all()
    assert ((ratio.exp().mean(1) - 1).abs() < 4 * error).all()


@pytest.mark.parametrize(("depth", "sees_all", "posterior"), EXACT)
def test_exact_posterior_has_no_gap_at_any_sample(depth: int, sees_all: bool, posterior: str) -> None:
    oracle = LinearGaussian.separable(SIZES[depth], sees_all, seed=depth)
    model, x = oracle.exact(posterior), 1.3 * oracle.sample(7)
    ratio = log_ratio(model, x, model.draw_noise(7, torch.Generator().manual_seed(1)))
    assert torch.allclose(ratio, oracle.log_evidence(x), atol=1e-10, rtol=0)


@pytest.mark.parametrize(("depth", "sees_all", "posterior"), EXACT)
def test_elbo_of_the_exact_posterior_is_log_evidence(depth: int, sees_all: bool, posterior: str) -> None:
    """In expectation: the top layer's KL is analytic."""
    oracle = LinearGaussian.separable(SIZES[depth], sees_all, seed=depth)
    x = 1.3 * oracle.sample(4)
    assert agrees(repeated(oracle.exact(posterior), x, 4000, seed=depth), oracle.log_evidence(x))


@pytest.mark.parametrize("depth", SIZES)
@pytest.mark.parametrize("sees_all", [False, True])
def test_elbo_lies_below_log_evidence_by_the_divergence_of_the_posteriors(depth: int, sees_all: bool) -> None:
    oracle = LinearGaussian.separable(SIZES[depth], sees_all and depth > 1, seed=10 + depth)
    posterior, x = any_chain(oracle, seed=depth), oracle.sample(3)
    gap = oracle.gap(posterior, x)
    assert gap.min() > 0.5
    draws = repeated(oracle.model(oracle.linear_chain(posterior)), x, 20_000, seed=depth)
    assert agrees(draws, oracle.log_evidence(x) - gap, sharp=float(gap.min()) / 20)


@pytest.mark.parametrize("depth", SIZES)
def test_iwae_rises_to_log_evidence(depth: int) -> None:
    oracle = LinearGaussian.separable(SIZES[depth], sees_all=False, seed=depth)
    exact = [oracle.given(oracle.at(layer), oracle.at(layer - 1)) for layer in range(1, depth + 1)]
    loose = [  # wider than exact, so that the importance weights are bounded
        Equation({layer - 1: p.weight}, p.bias + 0.2, 1.2 * p.scale) for layer, p in enumerate(exact, start=1)
    ]
    model, x = oracle.model(oracle.linear_chain(loose)), oracle.sample(100)
    short = [oracle.log_evidence(x) - iwae(model, x, k, batch_size=4096) for k in (1, 8, 256)]
    error = float(short[2].std() / math.sqrt(len(x)))
    assert short[0].mean() > short[1].mean() + 0.1 > short[2].mean() + 0.1
    assert abs(short[2].mean()) < 4 * error + 0.01
    assert error < 0.02


def two_layers(a: float, v: float, g: float, w: float, s: float) -> tuple[LinearGaussian, list[Equation]]:
    """x = z_1 + ε, z_1 = a z_2 + s ε; q(z_1|x) = N(0, v), q(z_2|z_1) = N(g z_1, w): all of one dimension."""

    def number(value: float) -> Tensor:
        return torch.tensor([value], dtype=torch.float64)

    x = Equation({1: number(1.0)[:, None]}, number(0.0), number(1.0))
    oracle = LinearGaussian((x, Equation({2: number(a)[:, None]}, number(0.0), number(s)), standard(1)), (1, 1, 1))
    q_1 = Equation({0: number(0.0)[:, None]}, number(0.0), number(math.sqrt(v)))
    return oracle, [q_1, Equation({1: number(g)[:, None]}, number(0.0), number(math.sqrt(w)))]


def kl_of_the_first_layer(setting: tuple[float, ...], layer_kl: str, samples: int = 400_000) -> tuple[float, float]:
    """Mean and standard error of the bottom layer's KL under one form of it, in nats."""
    oracle, posterior = two_layers(*setting)
    model, x = oracle.model(oracle.linear_chain(posterior)), torch.zeros(samples, 1, 1, 1, dtype=torch.float64)
    noise = model.draw_noise(samples, torch.Generator().manual_seed(0))
    with torch.no_grad():
        kl = ELBO(layer_kl=layer_kl)(model(x, noise), x, 1).layer_kl[:, 0]  # type: ignore[arg-type]
    return float(kl.mean()), float(kl.std() / math.sqrt(samples))


@pytest.mark.parametrize(
    "setting", [(1.0, 1.25, 0.8, 0.2, 0.5), (0.7, 0.6, 0.4, 0.5, 0.9), (-1.5, 0.3, -0.5, 0.2, 1.2)]
)
def test_the_papers_layer_kl_is_biased_by_a_closed_form(setting: tuple[float, ...]) -> None:
    """Given z_2, equation 9 draws z_1 afresh and loses Cov(z_1, a z_2) = a g v: it is a g v / s² nats too large."""
    a, v, g, w, s = setting
    exact = -0.5 * math.log(v / s**2) - 0.5 + ((1 - a * g) ** 2 * v + a**2 * w) / (2 * s**2)
    bias = a * g * v / s**2
    for layer_kl, expected in (("sample", exact), ("paper", exact + bias)):
        mean, error = kl_of_the_first_layer(setting, layer_kl)
        assert abs(mean - expected) < 4 * error
        assert 4 * error < abs(bias) / 10


def test_the_bias_where_the_posterior_is_exact() -> None:
    """The case with an uninformative image: q is the prior, its true KL is negative, the paper's form is 4 nats off."""
    setting = (1.0, 1.25, 0.8, 0.2, 0.5)
    assert kl_of_the_first_layer(setting, "sample")[0] == pytest.approx(-0.5 * math.log(5), abs=0.01)  # -0.80
    assert kl_of_the_first_layer(setting, "paper")[0] == pytest.approx(4 - 0.5 * math.log(5), abs=0.03)  # 3.20


@pytest.mark.parametrize("posterior", ["ladder", "top-down"])
def test_the_papers_form_is_unbiased_for_a_top_down_posterior(posterior: str) -> None:
    oracle = LinearGaussian.separable(SIZES[2], sees_all=True)
    x = oracle.sample(4)
    draws = repeated(oracle.exact(posterior), x, 4000, seed=0, objective=ELBO(layer_kl="paper"))
    assert agrees(draws, oracle.log_evidence(x))


def test_oracle_draws_from_its_joint_the_joint() -> None:
    oracle = LinearGaussian.separable([3, 2], sees_all=True)
    x = oracle.sample(50_000).flatten(1)
    own = oracle.at(0)
    assert torch.allclose(torch.cov(x.T), oracle.joint.covariance_matrix[own][:, own], atol=0.15)
