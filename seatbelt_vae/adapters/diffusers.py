"""Autoencoders of the diffusers library."""

import copy
from collections.abc import Sequence
from typing import Any

from seatbelt_vae.adapters.wrap import wrap
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.errors import InputError

SWITCHES = ("use_slicing", "use_tiling", "use_framewise_encoding", "use_framewise_decoding")
"""What makes the function of a batch another one, to save memory."""

CODES = (
    "wrap(lambda x: model.encode(x).latents, lambda z: model.decode(z).sample, image_shape=…, bounds=(-1, 1)) attacks "
    "the distance of its codes"
)


def autoencoder_kl(
    model: Any,
    *,
    image_shape: Sequence[int | None] | None = None,
    variance: float = 0.1,
) -> Wrapped:
    """An ``AutoencoderKL`` of diffusers, or a relative with a Gaussian posterior, ready to be attacked.

    Images are in [0, 1] outside and in [-1, 1] inside. Tiling and slicing are off and half precision becomes float32,
    both in a copy. Latents are those of the autoencoder itself, before a pipeline scales them.

    Args:
        model: what ``AutoencoderKL.from_pretrained`` gives.
        image_shape: (C, H, W), or (C, T, H, W) for one of videos; images of any size if left out.
        variance: of the Gaussian pixels of which the decoded image is the mean.

    Returns:
        A model with `encode` and `decode`; its `assumptions` say what was changed.

    Raises:
        InputError: no model of diffusers, or one without a Gaussian posterior.

    References:
        Rombach et al. 2022, High-resolution image synthesis with latent diffusion models.

    Example:
        >>> from torch import nn
        >>> autoencoder_kl(nn.Linear(2, 2))
        Traceback (most recent call last):
        seatbelt_vae.errors.InputError: Linear: is no autoencoder of diffusers; use seatbelt_vae.wrap
    """
    kind = type(model).__name__
    if not hasattr(model, "encode") or not hasattr(model, "config"):
        raise InputError(f"{kind}: is no autoencoder of diffusers; use seatbelt_vae.wrap")
    if "Tiny" in kind or "VQ" in kind:
        raise InputError(f"{kind}: has no Gaussian posterior; {CODES}")
    shape = image_shape or (model.config.in_channels, None, None)
    whole = without_switches(model)
    wrapped = wrap(whole.encode, whole.decode, image_shape=shape, bounds=(-1.0, 1.0), variance=variance)
    if wrapped.deterministic:
        raise InputError(f"{kind}: has no Gaussian posterior; {CODES}")
    if whole is not model:
        wrapped.assumptions += ("tiling and slicing are off: images are encoded whole",)
    return wrapped


def without_switches(model: Any) -> Any:
    """The same, or a copy where tiling or slicing is on."""
    on = [name for name in SWITCHES if getattr(model, name, False)]
    if not on:
        return model
    whole = copy.deepcopy(model)
    for name in on:
        setattr(whole, name, False)
    return whole
