"""Anybody's encoder and decoder, ready to be attacked."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from seatbelt_vae.adapters.convention import Convention, Order
from seatbelt_vae.adapters.trial import tried
from seatbelt_vae.adapters.units import Bounds
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.attacks.evaluation.copies import plain_copy

FULL = (torch.float32, torch.float64)


def wrap(
    encode: Callable[..., Any],
    decode: Callable[..., Any],
    *,
    image_shape: Sequence[int | None],
    bounds: Bounds = (0.0, 1.0),
    decoded: Bounds | None = None,
    posterior: str | None = None,
    order: Order = "bottom-first",
    decoder_sees: str = "all",
    prior: Callable[..., Any] | None = None,
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
        image_shape: what follows the batch: (C, H, W) for images, (C, D, H, W) for volumes, (C, T) for signals; None
            for a side of any size.
        bounds: black and white as the encoder takes them, such as (-1, 1) or (0, 255), or "imagenet".
        decoded: black and white as the decoder gives them; as `bounds` if left out.
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
    convention = Convention(
        image_shape=image_shape,
        bounds=bounds,
        decoded=decoded,
        posterior=posterior,
        order=order,
        decoder_sees=decoder_sees,
        prior=prior,
        condition=condition,
        variance=variance,
    )
    return tried(full_precision(Wrapped(encode, decode, convention)))


def full_precision(wrapped: Wrapped) -> Wrapped:
    """The same in float32, where its weights are in half precision: a copy."""
    halves = {parameter.dtype for parameter in wrapped.parameters() if parameter.dtype not in FULL}
    if not halves:
        return wrapped
    name = str(halves.pop()).removeprefix("torch.")
    copied: Any = plain_copy(wrapped)
    copied.float()
    copied.assumptions += (f"the weights are in {name}: a copy of them in float32 is measured",)
    in_full: Wrapped = copied
    return in_full
