"""Anybody's encoder and decoder, ready to be attacked."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import torch

from seatbelt_vae.adapters.function import Function
from seatbelt_vae.adapters.posteriors import POSTERIORS
from seatbelt_vae.adapters.trial import tried
from seatbelt_vae.adapters.units import Bounds, units_of
from seatbelt_vae.adapters.wrapped import Order, Prior, Wrapped
from seatbelt_vae.attacks.evaluation.copies import plain_copy
from seatbelt_vae.attacks.part import check_choice
from seatbelt_vae.errors import InputError

FULL = (torch.float32, torch.float64)


def wrap(
    encode: Callable[..., Any],
    decode: Callable[..., Any],
    *,
    image_shape: Sequence[int],
    bounds: Bounds = (0.0, 1.0),
    posterior: str | None = None,
    order: Order = "bottom-first",
    decoder_sees: str = "all",
    prior: Prior | None = None,
    condition: Any = None,
    variance: float = 0.1,
) -> Wrapped:
    """Make anybody's encoder and decoder a model that can be attacked and audited.

    Images are in [0, 1] outside, in attacks, audits and reports; the model gets them in its own units. Pass modules or
    methods of modules where you can: a module behind a plain function is not seen, and has to be in evaluation mode.

    Args:
        encode: images (B, …) → posterior: a Normal, ``Independent`` or not; a pair of tensors (see `posterior`); one
            tensor, a code without a scale; or a list or tuple of layers. An encoder of several layers that samples
            takes standard normals as ``noise``, one (B, …) for each layer, and follows the means without.
        decode: latents → an image tensor, or a distribution of pixels, ``Independent`` or not. It is given one tensor,
            or a tuple of layers if it takes that.
        image_shape: what follows the batch: (C, H, W) for images, (C, D, H, W) for volumes, (C, T) for signals.
        bounds: black and white as the model takes them, such as (-1, 1) or (0, 255), or "imagenet".
        posterior: what the second tensor of a pair is: "log-variance", "log-scale", "variance" or "scale"; "code" for
            layers of codes without a scale.
        order: of layers: "bottom-first", from the data up, or "top-first".
        decoder_sees: "all" layers, or the "bottom" alone: which layers a latent attack aims at.
        prior: latents → the distribution of each layer; N(0, 1) if left out.
        condition: passed to both as a second argument, such as a label. A tensor is that of one image, (K,), and given
            as (B, K).
        variance: of the Gaussian pixels of which an image tensor is the mean, in squared units of [0, 1].

    Returns:
        A module with `encode` and `decode`. What was assumed is in `assumptions`.

    Raises:
        InputError: the pair does not work on images of that shape, has no gradient, or gives something unreadable.

    Example:
        >>> from torch import nn
        >>> encoder, decoder = nn.Linear(12, 4), nn.Linear(2, 12)
        >>> model = wrap(
        ...     lambda x: encoder(x.flatten(1)).chunk(2, dim=1),
        ...     lambda z: decoder(z).view(-1, 3, 2, 2),
        ...     image_shape=(3, 2, 2),
        ...     posterior="log-variance",
        ... )
        >>> model.decode([model.encode(torch.rand(5, 3, 2, 2))[0].loc]).mean.shape
        torch.Size([5, 3, 2, 2])
    """
    shape = _checked_shape(image_shape)
    if posterior is not None:
        check_choice("posterior", posterior, POSTERIORS)
    check_choice("order", order, ("bottom-first", "top-first"))
    check_choice("decoder_sees", decoder_sees, ("all", "bottom"))
    if not variance > 0:
        raise InputError(f"variance {variance}: must be positive")
    wrapped = Wrapped(
        Function("encode", encode),
        Function("decode", decode),
        units_of(bounds, shape),
        shape,
        posterior=posterior,
        order=order,
        decoder_sees=decoder_sees,
        prior=prior,
        condition=condition,
        variance=variance,
    )
    return tried(full_precision(wrapped))


def full_precision(wrapped: Wrapped) -> Wrapped:
    """The same in float32, where its weights are in half precision: a copy."""
    halves = {tensor.dtype for tensor in wrapped.parameters() if tensor.dtype not in FULL}
    if not halves:
        return wrapped
    name = str(halves.pop()).removeprefix("torch.")
    copied: Any = plain_copy(wrapped)
    copied.float()
    copied.assumptions = (*copied.assumptions, f"weights in {name}: a copy in float32 is what is measured")
    result: Wrapped = copied
    return result


def _checked_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    whole = isinstance(image_shape, Sequence) and len(image_shape) > 0
    if not whole or not all(isinstance(each, Integral) and each > 0 for each in image_shape):
        raise InputError(f"image_shape {image_shape!r}: must be positive whole numbers, such as (3, 64, 64)")
    return tuple(int(each) for each in image_shape)
