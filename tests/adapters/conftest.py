"""A foreign VAE of a few hundred weights, and images for it."""

import pytest
import torch
from torch import Tensor, nn

SHAPE = (1, 6, 6)


class Foreign(nn.Module):
    """Encodes 6×6 images to mean and log-variance of three latents; decodes to an image in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 6))
        self.out = nn.Linear(3, 36)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.net(x).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        return self.out(z).sigmoid().view(-1, *SHAPE)


@pytest.fixture
def foreign() -> Foreign:
    torch.manual_seed(0)
    return Foreign().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))
