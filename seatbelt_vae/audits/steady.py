"""A model that is random or mixes the images of a batch, made a function of each image, so that it can be attacked."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.attacks.defended import mixture
from seatbelt_vae.attacks.protocol import Attackable, posteriors

DRAWS = 4
"""Sets of random numbers over which a random model is averaged."""


class Steady:
    """Another model row by row, in fixed company, averaged over fixed random numbers.

    An attack on it is the expectation over transformation of Athalye et al. 2018. It is slow: every row is a call.

    Args:
        model: random, or dependent on its batch.
        company: images that stand beside each image, (B, C, H, W), B may be 0.
        draws: sets of random numbers.
        seed: of the first of them.
    """

    def __init__(self, model: Attackable, company: Tensor, draws: int = DRAWS, seed: int = 0) -> None:
        self.model = model
        self.company = company
        self.draws = draws
        self.seed = seed
        with torch.no_grad():
            self.codes = [q.loc for q in posteriors(model, company)] if len(company) else []

    def __getattr__(self, name: str) -> Any:
        if name in ("decoder_sees", "prior"):
            return getattr(self.model, name)
        raise AttributeError(name)

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Normal, ...]:
        """The Gaussians that have the mean and variance of the posteriors over the random numbers."""
        rows = []
        for i in range(len(x)):
            image = torch.cat([x[i : i + 1], self.company.to(x)])
            given = None
            if noise is not None:
                given = [torch.cat([eps[i : i + 1]] * len(image)) for eps in noise]
            rows.append(self._over_draws(image, given))
        return tuple(_first_rows(layer) for layer in zip(*rows, strict=True))

    def _over_draws(self, image: Tensor, noise: Sequence[Tensor] | None) -> list[Normal]:
        drawn = [posteriors(self.model, image, noise) for _ in self._seeded(image)]
        least = torch.finfo(image.dtype).tiny
        return [mixture(_first_rows(layer), self.draws, least) for layer in zip(*drawn, strict=True)]

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        """A Gaussian of scale 1 around the mean image over the random numbers."""
        rows = []
        for i in range(len(z[0])):
            codes = [layer[i : i + 1] for layer in z]
            if self.codes:
                codes = [torch.cat([one, others.to(one)]) for one, others in zip(codes, self.codes, strict=True)]
            means = [self.model.decode(codes).mean[0] for _ in self._seeded(codes[0])]
            rows.append(torch.stack(means).mean(0))
        mean = torch.stack(rows)
        return Independent(Normal(mean, torch.ones_like(mean), validate_args=False), mean.dim() - 1)

    def _seeded(self, like: Tensor) -> Any:
        """One turn for each set of random numbers; the caller's own are left as they are."""
        devices = [like.device] if like.device.type == "cuda" else []
        for draw in range(self.draws):
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(self.seed + draw)
                yield draw


def _first_rows(layers: Sequence[Normal]) -> Normal:
    loc = torch.cat([q.loc[:1] for q in layers])
    return Normal(loc, torch.cat([q.scale[:1] for q in layers]), validate_args=False)
