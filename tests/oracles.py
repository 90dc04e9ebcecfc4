"""Problems with known answers: linear-Gaussian hierarchies, and the totals of Gaussian and Gaussian-mixture posteriors.

Everything is float64. Layers are counted as in the library: ``z[0]`` is z_1, nearest the data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from seatbelt_vae.models import Decoder, GaussianConditional, Generative, HierarchicalVAE
from seatbelt_vae.models.conditional import LOG_SCALE_LIMIT
from seatbelt_vae.models.likelihoods import GaussianLikelihood
from seatbelt_vae.models.posteriors import Bidirectional, Chain, Ladder, TopDown

X = 0  # the image's place in the order x, z_1, …, z_L


@dataclass(frozen=True)
class Equation:
    """One variable of a linear-Gaussian network: Σ_j weight_j · variable_j + bias + scale · ε, by place."""

    weights: dict[int, Tensor]
    bias: Tensor
    scale: Tensor


def joint(equations: Sequence[Equation]) -> MultivariateNormal:
    """v = B v + b + S ε, solved: the joint Gaussian of all variables one after the other."""
    sizes = [len(equation.bias) for equation in equations]
    B = torch.zeros(sum(sizes), sum(sizes), dtype=torch.float64)
    for row, equation in zip(blocks(sizes), equations, strict=True):
        for place, weight in equation.weights.items():
            B[row, blocks(sizes)[place]] = weight
    solve = torch.linalg.inv(torch.eye(len(B), dtype=torch.float64) - B)
    mean = solve @ torch.cat([equation.bias for equation in equations])
    return MultivariateNormal(mean, scale_tril=triangular(solve * torch.cat([e.scale for e in equations])))


def triangular(root: Tensor) -> Tensor:
    """The Cholesky factor of root · rootᵀ."""
    return torch.linalg.cholesky(root @ root.T)


def blocks(sizes: Sequence[int]) -> list[slice]:
    ends = torch.tensor([0, *sizes]).cumsum(0).tolist()
    return [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]


@dataclass(frozen=True)
class Given:
    """p(target | given) = N(Σ weight · given + bias, covariance)."""

    weight: Tensor
    bias: Tensor
    covariance: Tensor

    @property
    def scale(self) -> Tensor:
        """The standard deviations, where the dimensions are independent."""
        off_diagonal = self.covariance - self.covariance.diagonal().diag()
        assert off_diagonal.abs().max() < 1e-12, "no diagonal Gaussian is exact here"
        return self.covariance.diagonal().sqrt()

    def module(self) -> GaussianConditional:
        return linear_conditional(self.weight, self.bias, self.scale)


def condition(p: MultivariateNormal, target: Tensor, given: Tensor) -> Given:
    """A conditional of a joint Gaussian, by index."""
    S, m = p.covariance_matrix, p.mean
    weight = torch.linalg.solve(S[given][:, given], S[given][:, target]).T
    covariance = S[target][:, target] - weight @ S[given][:, target]
    return Given(weight, m[target] - weight @ m[given], covariance)


def linear_conditional(weight: Tensor, bias: Tensor, scale: Tensor) -> GaussianConditional:
    """The library's Gaussian with a linear network: N(weight · context + bias, scale²)."""
    linear = nn.Linear(weight.shape[1], 2 * len(bias)).double()
    unbounded = LOG_SCALE_LIMIT * torch.atanh(scale.log() / LOG_SCALE_LIMIT)
    linear.weight.data = torch.cat([weight, torch.zeros_like(weight)])
    linear.bias.data = torch.cat([bias, unbounded])
    return GaussianConditional(linear)


@dataclass(frozen=True)
class LinearGaussian:
    """A hierarchy z_L ~ N(0, I), z_l = A_l z_{l+1} + a_l + s_l ε, x = Σ_l C_l z_l + c + s ε.

    `equations` are those of x, z_1, …, z_L; the DLGM likelihood has C_l = 0 for l > 1 (no such entry).
    """

    equations: tuple[Equation, ...]
    image_shape: tuple[int, int, int]

    @classmethod
    def separable(
        cls, sizes: Sequence[int], sees_all: bool, seed: int = 0, image_shape: tuple[int, int, int] = (1, 2, 4)
    ) -> "LinearGaussian":
        """Orthogonal read-outs and diagonal links, so that every posterior conditional is a diagonal Gaussian."""
        generator = torch.Generator().manual_seed(seed)
        pixels = math.prod(image_shape)
        basis = torch.linalg.qr(random(generator, pixels, pixels))[0]
        gain = 0.5 + 1.5 * torch.rand(pixels, generator=generator, dtype=torch.float64)
        seen = sizes if sees_all else sizes[:1]
        readouts = {place: (basis * gain)[:, block] for place, block in enumerate(blocks(seen), start=1)}
        equations = [Equation(readouts, random(generator, pixels), torch.full((pixels,), 0.4, dtype=torch.float64))]
        for place, (size, above) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
            link = torch.eye(size, above, dtype=torch.float64) * (0.6 + 0.1 * place)
            scale = 0.5 + torch.rand(size, generator=generator, dtype=torch.float64)
            equations.append(Equation({place + 1: link}, random(generator, size), scale))
        return cls((*equations, standard(sizes[-1])), image_shape)

    @property
    def sizes(self) -> list[int]:
        return [len(equation.bias) for equation in self.equations]

    @property
    def joint(self) -> MultivariateNormal:
        """Of (x, z_1, …, z_L)."""
        return joint(self.equations)

    def at(self, *places: int) -> Tensor:
        """Indices in the joint of the variables at some places."""
        return torch.cat([torch.arange(block.start, block.stop) for block in [blocks(self.sizes)[p] for p in places]])

    def given(self, target: Tensor, *given: Tensor) -> Given:
        return condition(self.joint, target, torch.cat(given))

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """Images of the model, (count, C, H, W)."""
        noise = random(torch.Generator().manual_seed(seed), count, sum(self.sizes))
        v = self.joint.mean + noise @ self.joint.scale_tril.T
        return v[:, self.at(X)].unflatten(1, self.image_shape)

    def log_evidence(self, x: Tensor) -> Tensor:
        """Log p(x), (B,), in nats."""
        own = self.at(X)
        p = self.joint
        return MultivariateNormal(p.mean[own], p.covariance_matrix[own][:, own]).log_prob(x.flatten(1))

    def gap(self, posterior: Sequence[Equation], x: Tensor) -> Tensor:
        """KL(q(z|x) ‖ p(z|x)), (B,): how far the ELBO of a linear posterior lies below log p(x)."""
        latents = self.at(*range(1, len(self.equations)))
        q = condition(joint([standard(self.sizes[X]), *posterior]), latents, self.at(X))
        p = condition(self.joint, latents, self.at(X))
        return torch.stack([kl_divergence(gaussian(q, each), gaussian(p, each)) for each in x.flatten(1)])

    def model(self, posterior: nn.Module, skips: bool = False) -> HierarchicalVAE:
        """The hierarchy as the library's class, with a posterior of the caller's."""
        weights = [self.equations[X].weights[place] for place in sorted(self.equations[X].weights)]
        linear = nn.Linear(sum(weight.shape[1] for weight in weights), self.sizes[X]).double()
        linear.weight.data, linear.bias.data = torch.cat(weights, dim=1), self.equations[X].bias
        network = nn.Sequential(linear, nn.Unflatten(1, self.image_shape))
        likelihood = GaussianLikelihood(variance=float(self.equations[X].scale[0]) ** 2)
        return HierarchicalVAE(
            posterior,
            Generative(self.sizes[1:], self.priors(skips), skips),
            Decoder(network, likelihood, sees_all=len(weights) > 1),
            image_shape=self.image_shape,
        ).eval()

    def priors(self, skips: bool) -> list[nn.Module]:
        """p(z_l|z_{l+1}), or p(z_l|z_{l+1}, …, z_L), for layer < L."""
        top = len(self.sizes) - 1
        above = [range(layer + 1, top + 1 if skips else layer + 2) for layer in range(1, top)]
        return [self.given(self.at(layer), self.at(*places)).module() for layer, places in enumerate(above, start=1)]

    def linear_chain(self, posterior: Sequence[Equation]) -> Chain:
        """A bottom-up posterior given by equations: q(z_1|x), and each q(z_{l+1}|z_l, x) reads (z_l, x)."""
        zeros = [torch.zeros(len(e.bias), self.sizes[X], dtype=torch.float64) for e in posterior]
        modules = [
            linear_conditional(torch.cat([*below(e, place), e.weights.get(X, zero)], dim=1), e.bias, e.scale)
            for place, (e, zero) in enumerate(zip(posterior, zeros, strict=True), start=1)
        ]
        return Chain(nn.Flatten(), modules, sees_x=True)

    def exact(self, name: str) -> HierarchicalVAE:
        """With the exact posterior, in the form of one of the library's posteriors."""
        return self.model(getattr(self, f"exact_{name.replace('-', '_')}")(), skips=name == "bidirectional")

    def exact_chain(self) -> Chain:
        """q(z_1|x) Π q(z_{l+1}|z_l): exact for the DLGM likelihood."""
        layers = range(1, len(self.sizes))
        return Chain(nn.Flatten(), [self.given(self.at(layer), self.at(layer - 1)).module() for layer in layers])

    def exact_chain_x(self) -> Chain:
        upper = [
            self.given(self.at(layer), self.at(layer - 1), self.at(X)).module() for layer in range(2, len(self.sizes))
        ]
        return Chain(nn.Flatten(), [self.given(self.at(1), self.at(X)).module(), *upper], sees_x=True)

    def exact_top_down(self) -> TopDown:
        top = len(self.sizes) - 1
        lower = [self.given(self.at(layer), self.at(X), self.at(layer + 1)).module() for layer in range(1, top)]
        climb = [nn.Identity() for _ in range(top)]
        return TopDown(nn.Flatten(), climb, [*lower, self.given(self.at(top), self.at(X)).module()])

    def exact_ladder(self) -> Ladder:
        """N(d_l) is what remains of p(z_l|z_{l+1}, x) when the prior's part is divided out."""
        top, own = len(self.sizes) - 1, []
        for layer in range(1, top):
            full, prior = (
                self.given(self.at(layer), self.at(X), self.at(layer + 1)),
                self.given(self.at(layer), self.at(layer + 1)),
            )
            precision = full.scale**-2 - prior.scale**-2
            weight = full.weight[:, : self.sizes[X]] * (full.scale**-2 / precision)[:, None]
            bias = (full.bias * full.scale**-2 - prior.bias * prior.scale**-2) / precision
            own.append(linear_conditional(weight, bias, precision.rsqrt()))
        own.append(self.given(self.at(top), self.at(X)).module())
        return Ladder(nn.Flatten(), [nn.Identity() for _ in own], own)

    def exact_bidirectional(self) -> Bidirectional:
        """d_l = (x, z_1↑, …, z_{l-1}↑) by identity steps; halves up, halves down."""
        top = len(self.sizes) - 1
        up_index = [self.at(layer)[: self.sizes[layer] // 2 if layer < top else None] for layer in range(1, top + 1)]
        up, down = [], []
        for layer in range(1, top + 1):
            d = torch.cat([self.at(X), *up_index[: layer - 1]])
            up.append(self.given(up_index[layer - 1], d).module())
            if layer < top:
                half = self.at(layer)[self.sizes[layer] // 2 :]
                down.append(self.given(half, d, self.at(*range(layer + 1, top + 1))).module())
        return Bidirectional(nn.Flatten(), [nn.Identity() for _ in up], up, down)


def below(equation: Equation, place: int) -> list[Tensor]:
    """The weight on the latent below, for every layer but the first."""
    return [equation.weights[place - 1]] if place > 1 else []


def standard(size: int) -> Equation:
    return Equation({}, torch.zeros(size, dtype=torch.float64), torch.ones(size, dtype=torch.float64))


def random(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def gaussian(conditional: Given, context: Tensor) -> MultivariateNormal:
    return MultivariateNormal(conditional.weight @ context + conditional.bias, conditional.covariance)


def log_ratio(model: HierarchicalVAE, x: Tensor, noise: Sequence[Tensor]) -> Tensor:
    """Log p(x, z) - log q(z|x) at the samples, (B,): constant and log p(x) at the exact posterior."""
    e = model(x, noise)
    ratios = [(p.log_prob(z) - q.log_prob(z)).sum(-1) for q, z, p in zip(e.q, e.z, e.p, strict=True)]
    return e.likelihood.log_prob(x) + sum(ratios)


def ppca_optimum(x: Tensor, rank: int) -> float:
    """The largest mean log p(x) of any linear-Gaussian model with `rank` latents and one noise variance, in nats.

    Tipping & Bishop 1999, equations 7–8.
    """
    flat = x.flatten(1)
    values = torch.linalg.eigvalsh(torch.cov(flat.T, correction=0)).flip(0)
    noise = values[rank:].mean()
    pixels = len(values)
    return float(
        -0.5 * (values[:rank].log().sum() + (pixels - rank) * noise.log() + pixels * math.log(2 * math.pi * math.e))
    )


def gaussian_total_correlation(covariance: Tensor) -> float:
    """½ (Σ_d log S_dd - log det S), in nats."""
    return float(0.5 * (covariance.diagonal().log().sum() - torch.logdet(covariance)))


def mixture_log_density(z: Tensor, q: Normal) -> tuple[Tensor, Tensor]:
    """Log of (1/N) Σ_n q(z|x_n), and of each of its marginals, by plain enumeration: (B,) and (B, D)."""
    log_q = q.log_prob(z[:, None])
    count = math.log(len(q.loc))
    return log_q.sum(-1).logsumexp(1) - count, log_q.logsumexp(1) - count
