"""Small models with known answers, in float64."""

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.models import HierarchicalVAE, seatbelt_vae


class LinearModel(nn.Module):
    """A foreign model: one linear encoder with constant scales, one linear decoder; latents as (B, D, 1) maps."""

    def __init__(self, pixels: int, latents: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.w = nn.Parameter(torch.randn(latents, pixels, generator=generator, dtype=torch.float64))
        self.scale = nn.Parameter(0.5 + torch.rand(latents, 1, generator=generator, dtype=torch.float64))
        self.side = int(pixels**0.5)

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        loc = (x.flatten(1) @ self.w.T)[:, :, None]
        return (Independent(Normal(loc, self.scale.expand_as(loc)), 2),)

    def decode(self, z: list[Tensor]) -> Distribution:
        mean = (z[0][:, :, 0] @ self.w).view(-1, 1, self.side, self.side)
        return Independent(Normal(mean, torch.ones_like(mean)), 3)


@pytest.fixture
def linear() -> LinearModel:
    return LinearModel(pixels=16, latents=3)


@pytest.fixture
def hierarchy() -> HierarchicalVAE:
    torch.manual_seed(0)
    model = seatbelt_vae((1, 28, 28), latent_sizes=(5, 4, 3), network="mlp", hidden_sizes=(8, 8))
    return model.double().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
