"""A foreign encoder and decoder as one model that can be attacked."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.adapters.convention import Convention, Shape
from seatbelt_vae.adapters.function import Function
from seatbelt_vae.adapters.images import ImageDistribution, read_image
from seatbelt_vae.adapters.posteriors import read_layers
from seatbelt_vae.adapters.units import units_of
from seatbelt_vae.errors import InputError


class Wrapped(nn.Module):
    """What :func:`~seatbelt_vae.adapters.wrap.wrap` makes: images in [0, 1], posteriors as Normals, bottom first.

    Args:
        encode: the foreign encoder.
        decode: the foreign decoder.
        convention: how they speak.

    Attributes:
        deterministic: the encoder gives a code and no scale. It is no VAE; the distance of codes is attacked.
        assumptions: what was taken for granted, a sentence each.
        takes_tuple: whether the decoder is given a tuple of layers, and not one tensor.
    """

    condition: Tensor | None

    def __init__(self, encode: Callable[..., Any], decode: Callable[..., Any], convention: Convention) -> None:
        super().__init__()
        self.convention = convention
        self.encoder = Function("encode", encode)
        self.decoder = Function("decode", decode)
        self.foreign_prior: Function | None = None
        if convention.prior is not None:
            self.foreign_prior = Function("prior", convention.prior)
        self.taken = units_of(convention.bounds, convention.image_shape)
        self.given = units_of(convention.decoded or convention.bounds, convention.image_shape)
        self.register_buffer("condition", None, persistent=False)
        if isinstance(convention.condition, Tensor):
            self.condition = convention.condition
        self.deterministic = False
        self.takes_tuple = False
        self.assumptions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What audits call it: the class whose method `encode` is, where that is known."""
        return type(self.encoder.module or self).__name__

    @property
    def image_shape(self) -> Shape:
        """What follows the batch, (C, H, W); None for a side of any size."""
        return tuple(self.convention.image_shape)

    @property
    def decoder_sees(self) -> str:
        """All layers, or the bottom one."""
        return self.convention.decoder_sees

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Normal, ...]:
        """The posteriors of images (B, …) in [0, 1], bottom layer first.

        Raises:
            InputError: images of another size, or a posterior that cannot be read.
        """
        return self.layers(self.encoder_output(x, noise), x.dtype)

    def encoder_output(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> Any:
        """What the foreign encoder returns."""
        if not self.convention.fits(x.shape[1:]):
            raise InputError(f"images of shape {tuple(x.shape[1:])}: the model takes {self.image_shape}")
        named = {}
        if noise is not None and self.encoder.takes_noise:
            named["noise"] = self._ordered(noise)
        return self.encoder(self.taken.inward(x), *self._conditions(x), **named)

    def layers(self, out: Any, dtype: torch.dtype) -> tuple[Normal, ...]:
        """The posteriors in what the foreign encoder returned, bottom first."""
        layers = []
        for layer in read_layers(out, self.convention.posterior):
            layers.append(Normal(layer.loc.to(dtype), layer.scale.to(dtype), validate_args=False))
        return tuple(self._ordered(layers))

    def decode(self, z: Sequence[Tensor]) -> ImageDistribution:
        """The distribution p(x | z) of images in [0, 1] at samples of the layers, bottom first."""
        return self.image(self.decoder_output(z))

    def decoder_output(self, z: Sequence[Tensor]) -> Any:
        """What the foreign decoder returns."""
        return self.decoder(self._latents(z), *self._conditions(z[0]))

    def image(self, out: Any) -> ImageDistribution:
        """The distribution in what the foreign decoder returned."""
        return read_image(out, self.given, self.convention.variance)

    @property
    def prior(self) -> Callable[[Sequence[Tensor]], tuple[Distribution, ...]] | None:
        """The priors of the layers at samples z, bottom first; None where N(0, 1) is assumed."""
        if self.foreign_prior is None:
            return None
        return self._prior

    def _prior(self, z: Sequence[Tensor]) -> tuple[Distribution, ...]:
        assert self.foreign_prior is not None
        out = self.foreign_prior(self._latents(z))
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
        if self.convention.order == "top-first":
            return list(reversed(layers))
        return list(layers)

    def _conditions(self, rows: Tensor) -> tuple[Any, ...]:
        """The condition for as many images or latents; empty without."""
        if self.condition is not None:
            return (self.condition.to(rows.device).expand(len(rows), *self.condition.shape),)
        if self.convention.condition is not None:
            return (self.convention.condition,)
        return ()
