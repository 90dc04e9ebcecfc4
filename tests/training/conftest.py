"""A data set and a model small enough that twenty steps take a blink."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.models import HierarchicalVAE, seatbelt_vae

SIDE = 28
Networks = tuple[nn.Module, nn.Module]


@pytest.fixture(scope="session")
def images() -> ImageDataset:
    generator = torch.Generator().manual_seed(1)
    return ImageDataset(torch.randint(0, 256, (40, 1, SIDE, SIDE), generator=generator, dtype=torch.uint8))


@pytest.fixture(scope="session")
def make_networks() -> Callable[[int], Networks]:
    """An encoder with batch norm, whose statistics a checkpoint has to hold too, and a decoder."""

    def make(latent_size: int = 6, channels: int = 3) -> Networks:
        convolution = nn.Conv2d(1, channels, 4, stride=4)
        encoder = nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(), nn.Flatten())
        return encoder, nn.Sequential(nn.Linear(latent_size, SIDE**2), nn.Unflatten(1, (1, SIDE, SIDE)))

    return make


@pytest.fixture(scope="session")
def make_model(make_networks: Callable[..., Networks]) -> Callable[..., HierarchicalVAE]:
    def make(channels: int = 3) -> HierarchicalVAE:
        torch.manual_seed(0)
        networks = make_networks(channels=channels)
        return seatbelt_vae((1, SIDE, SIDE), latent_sizes=(4, 2), network=networks, hidden_sizes=(8, 8))

    return make
