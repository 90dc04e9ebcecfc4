"""A small VAE of blobs, trained in a second, to which defects are done; and its images."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

SIDE = 12
LATENTS = 4
PAIRS = 4


def blobs(count: int, seed: int) -> Tensor:
    """Two blobs each, at random places and of random widths, (count, 1, 12, 12) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.arange(SIDE).float()
    image = torch.zeros(count, SIDE, SIDE)
    for _ in range(2):
        x, y, width = torch.rand(3, count, 1, 1, generator=generator)
        far = (axis.view(1, 1, -1) - 2 - 8 * x).square() + (axis.view(1, -1, 1) - 2 - 8 * y).square()
        image = torch.maximum(image, (-far / (2 * (1.2 + width).square())).exp())
    return image[:, None]


class Small(nn.Module):
    """A VAE of three dense layers each way; the parts that defects are done to are methods."""

    def __init__(self, seed: int = 0, hidden: int = 48, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.encoder = nn.Sequential(
                nn.Flatten(),
                nn.Linear(SIDE * SIDE, hidden),
                activation(),
                nn.Linear(hidden, hidden),
                activation(),
                nn.Linear(hidden, 2 * LATENTS),
            )
            self.decoder = nn.Sequential(
                nn.Linear(LATENTS, hidden),
                activation(),
                nn.Linear(hidden, SIDE * SIDE),
                nn.Sigmoid(),
                nn.Unflatten(1, (1, SIDE, SIDE)),
            )

    def look(self, x: Tensor) -> Tensor:
        """What is done to an image before it is encoded."""
        return x

    def features(self, x: Tensor) -> Tensor:
        """Means and log-variances side by side."""
        out: Tensor = self.encoder(self.look(x))
        return out

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        mean, log_variance = self.features(x).chunk(2, 1)
        return (Normal(mean, (0.5 * log_variance).exp(), validate_args=False),)

    def show(self, z: Tensor) -> Tensor:
        """The mean image."""
        out: Tensor = self.decoder(z)
        return out

    def decode(self, z: tuple[Tensor, ...]) -> Distribution:
        mean = self.show(z[0])
        return Independent(Normal(mean, torch.full_like(mean, 0.1), validate_args=False), 3)


def trained(model: Small, images: Tensor, steps: int = 500, seed: int = 0) -> Small:
    """Adam on the ELBO of a Gaussian likelihood with σ = 0.1."""
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        x = images[torch.randint(len(images), (64,), generator=generator)]
        mean, log_variance = model.features(x).chunk(2, 1)
        z = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator)
        error = (model.show(z) - x).square().flatten(1).sum(1) / (2 * 0.1**2)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        optimiser.zero_grad()
        (error + kl).mean().backward()
        optimiser.step()
    return model.eval().requires_grad_(False)


def as_defect(cls: type[Small], base: Small, **more: float) -> Small:
    """A model of a subclass with the weights of another."""
    model = cls()
    model.load_state_dict(base.state_dict(), strict=False)
    for name, value in more.items():
        setattr(model, name, value)
    return model.eval().requires_grad_(False)


def largest(images: Tensor) -> float:
    """√(C·H·W), for scales of noise."""
    return math.sqrt(images[0].numel())
