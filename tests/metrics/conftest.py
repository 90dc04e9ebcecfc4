"""A linear-Gaussian hierarchy with the interface of a model: everything about it is known in closed form."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

SHAPE = (1, 2, 3)
SIZES = (3, 2)


class LinearGaussian(nn.Module):
    """p(x|z_1) p(z_1|z_2) p(z_2) and q(z_1|x) q(z_2|z_1), all N(W·, s²); with depth 1 just p(x|z) p(z), q(z|x)."""

    def __init__(self, depth: int, loosen: float = 1.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        D, K = 6, SIZES[0]
        orthogonal = torch.linalg.qr(torch.randn(D, D, generator=generator, dtype=torch.float64))[0][:, :K]
        self.depth = depth
        self.decoder = nn.Parameter(orthogonal * torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64))
        self.bias = nn.Parameter(torch.linspace(-0.5, 0.5, D, dtype=torch.float64))
        self.noise = 0.4  # s of p(x|z_1)
        self.link = torch.eye(K, dtype=torch.float64)[:, : SIZES[1]] * torch.tensor([0.9, 0.5])
        self.link_noise = 0.6
        gains = self.decoder.detach().square().sum(0)
        prior = self.prior_covariance().diagonal()  # diagonal by construction, so the posterior factorises
        self.precision = 1 / prior + gains / self.noise**2
        self.scale = loosen * self.precision.rsqrt()
        link_gains = self.link.diagonal()
        self.top_precision = 1 + link_gains.square() / self.link_noise**2
        self.top_scale = loosen * self.top_precision.rsqrt()
        self.loosen = loosen
        self.batch_norm = nn.BatchNorm1d(2)

    def prior_covariance(self) -> Tensor:
        K = SIZES[0]
        if self.depth == 1:
            return torch.eye(K, dtype=torch.float64)
        return self.link @ self.link.T + self.link_noise**2 * torch.eye(K, dtype=torch.float64)

    @torch.no_grad()
    def posterior_map(self) -> Tensor:
        """A of the exact posterior mean A (x − b), shape (K, D)."""
        return (self.decoder.double() / self.noise**2 / self.precision).T

    @torch.no_grad()
    def log_evidence(self, x: Tensor) -> Tensor:
        covariance = self.decoder @ self.prior_covariance() @ self.decoder.T
        covariance = covariance + self.noise**2 * torch.eye(6, dtype=torch.float64)
        return MultivariateNormal(self.bias, covariance).log_prob(x.double().flatten(1))

    @torch.no_grad()
    def posteriors(self, x: Tensor, noise: Sequence[Tensor] | None) -> tuple[tuple[Normal, ...], list[Tensor]]:
        dtype = x.dtype
        loc = (x.double().flatten(1) - self.bias.double()) @ self.posterior_map().T + 0.2 * (self.loosen - 1)
        q = [Normal(loc.to(dtype), self.scale.to(dtype).expand_as(loc))]
        z = [q[0].loc if noise is None else q[0].loc + q[0].scale * noise[0]]
        if self.depth == 2:
            gain = self.link.diagonal() / self.link_noise**2 / self.top_precision
            top = z[0][:, : SIZES[1]] * gain.to(dtype)
            q.append(Normal(top, self.top_scale.to(dtype).expand_as(top)))
            z.append(q[1].loc if noise is None else q[1].loc + q[1].scale * noise[1])
        return tuple(q), z

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Normal, ...]:
        return self.posteriors(x, noise)[0]

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        mean = (z[0].double() @ self.decoder.double().T + self.bias.double()).to(z[0].dtype).unflatten(1, SHAPE)
        return Independent(Normal(mean, self.noise), 3)

    def forward(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> SimpleNamespace:
        assert not self.training, "measured in training mode"
        noise = [torch.randn(len(x), size).to(x) for size in SIZES[: self.depth]] if noise is None else noise
        q, z = self.posteriors(x, noise)
        p = [Normal(torch.zeros_like(z[-1]), torch.ones_like(z[-1]))]
        if self.depth == 2:
            p.insert(0, Normal(z[1] @ self.link.T.to(x), self.link_noise))
        return SimpleNamespace(q=q, z=tuple(z), p=tuple(p), likelihood=self.decode(z))

    def draw(self, count: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(count, *SHAPE, generator=generator, dtype=torch.float64)


@pytest.fixture
def linear_gaussian() -> type[LinearGaussian]:
    return LinearGaussian
