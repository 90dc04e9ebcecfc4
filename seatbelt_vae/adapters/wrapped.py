"""A foreign encoder and decoder as one model that can be attacked."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.adapters.function import Function
from seatbelt_vae.adapters.images import read_image
from seatbelt_vae.adapters.posteriors import read_layers
from seatbelt_vae.adapters.units import Units
from seatbelt_vae.errors import InputError

Order = Literal["bottom-first", "top-first"]
Prior = Callable[[Any], Any]


class Wrapped(nn.Module):
    """What :func:`~seatbelt_vae.adapters.wrap.wrap` makes: images in [0, 1], posteriors as Normals, bottom first.

    Attributes:
        image_shape: (C, H, W), or whatever follows the batch.
        deterministic: the encoder gives a code and no scale. It is no VAE; the distance of codes is attacked.
        assumptions: what was taken for granted, a sentence each.
        decoder_sees: "all" layers or the "bottom" one.
    """

    condition: Tensor | None

    def __init__(
        self,
        encoder: Function,
        decoder: Function,
        units: Units,
        image_shape: tuple[int, ...],
        *,
        posterior: str | None,
        order: Order,
        decoder_sees: str,
        prior: Prior | None,
        condition: Any,
        variance: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.units = units
        self.image_shape = image_shape
        self.posterior = posterior
        self.order = order
        self.decoder_sees = decoder_sees
        self.own_prior = prior
        self.variance = variance
        self.deterministic = False
        self.takes_tuple = False
        self.assumptions: tuple[str, ...] = ()
        self.fixed: Any = None
        self.register_buffer("condition", None, persistent=False)
        if isinstance(condition, Tensor):
            self.condition = condition
        else:
            self.fixed = condition

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Normal, ...]:
        """The posteriors of images (B, …) in [0, 1], bottom layer first.

        Raises:
            InputError: images of another size, or a posterior that cannot be read.
        """
        out = self.encoder_output(x, noise)
        layers = [_as(layer, x.dtype) for layer in read_layers(out, self.posterior)]
        return tuple(self._ordered(layers))

    def encoder_output(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> Any:
        """What the foreign encoder returns."""
        if tuple(x.shape[1:]) != self.image_shape:
            raise InputError(f"images {tuple(x.shape[1:])}: the model takes {self.image_shape}")
        named = {}
        if noise is not None and self.encoder.takes_noise:
            named["noise"] = self._ordered(noise)
        return self.encoder(self.units.inward(x), *self._conditions(len(x)), **named)

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        """The distribution p(x | z) of images in [0, 1] at samples of the layers, bottom first."""
        return read_image(self.decoder_output(z), self.units, self.variance)

    def decoder_output(self, z: Sequence[Tensor]) -> Any:
        """What the foreign decoder returns."""
        return self.decoder(self._latents(z), *self._conditions(len(z[0])))

    def prior(self, z: Sequence[Tensor]) -> tuple[Distribution, ...]:
        """The priors of the layers at samples z, bottom first; N(0, 1) where none was given."""
        if self.own_prior is None:
            return tuple(_standard_normal(layer) for layer in z)
        out = self.own_prior(self._latents(z))
        if isinstance(out, Distribution):
            out = (out,)
        return tuple(self._ordered(out))

    def _latents(self, z: Sequence[Tensor]) -> Any:
        """Latents as the model takes them: a tensor, or a tuple in its order."""
        if not self.takes_tuple:
            return z[0]
        return tuple(self._ordered(z))

    def _ordered(self, layers: Sequence[Any]) -> list[Any]:
        """From the model's order to ours, or back."""
        if self.order == "top-first":
            return list(reversed(layers))
        return list(layers)

    def _conditions(self, count: int) -> tuple[Any, ...]:
        if self.condition is not None:
            return (self.condition.expand(count, *self.condition.shape),)
        if self.fixed is not None:
            return (self.fixed,)
        return ()


def _as(layer: Normal, dtype: torch.dtype) -> Normal:
    return Normal(layer.loc.to(dtype), layer.scale.to(dtype), validate_args=False)


def _standard_normal(like: Tensor) -> Normal:
    return Normal(torch.zeros_like(like), torch.ones_like(like), validate_args=False)
