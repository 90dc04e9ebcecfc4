"""What a pair of functions does: tried once, on two images."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution

from seatbelt_vae.adapters.function import Function
from seatbelt_vae.adapters.images import image_of
from seatbelt_vae.adapters.posteriors import gives_codes, read_layers
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.attacks.probe import called, check_device, check_gradient, check_layers
from seatbelt_vae.attacks.protocol import frozen, opened, place
from seatbelt_vae.errors import InputError

T = TypeVar("T")


def tried(wrapped: Wrapped) -> Wrapped:
    """The same, after two images: what depends on what it gives is set, and what is assumed is said.

    Raises:
        InputError: it fails, gives something unreadable, or has no gradient.
    """
    check_device(wrapped)
    noise = torch.rand(2, *wrapped.convention.trial_shape(), generator=torch.Generator().manual_seed(0))
    x = place(wrapped, noise)
    with frozen(wrapped):
        with torch.no_grad():
            means = try_encoder(wrapped, x)
            try_decoder(wrapped, x, means)
            try_prior(wrapped, x, means)
        check_gradient(wrapped, x[:1])
    for part in (wrapped.encoder, wrapped.decoder):
        if not part.seen:
            note(wrapped, f"{part.name} is a plain function: what it calls is taken to be in evaluation mode")
        if part.one_by_one:
            note(wrapped, f"{part.name} takes one image at a time")
    return wrapped


def try_encoder(wrapped: Wrapped, x: Tensor) -> list[Tensor]:
    """The means of the layers, bottom first."""
    posterior = wrapped.convention.posterior
    out = attempt(wrapped.encoder, x, lambda: wrapped.encoder_output(x))
    wrapped.deterministic = gives_codes(out, posterior)
    if wrapped.deterministic:
        note(wrapped, "encode gives a code and no scale: this is no VAE, and the distance of codes is attacked")
    dtype = read_layers(out, posterior)[0].loc.dtype
    if dtype != x.dtype:
        note(wrapped, f"encode gives {dtype}: what is smaller than its rounding is not seen")
    q = wrapped.layers(out, x.dtype)
    check_layers(q, len(x))
    means = [layer.loc for layer in q]
    if len(q) > 1:
        note_noise(wrapped, x, means)
    return means


def note_noise(wrapped: Wrapped, x: Tensor, means: Sequence[Tensor]) -> None:
    """Say whether an encoder of several layers makes no use of noise."""
    if not wrapped.encoder.takes_noise:
        note(wrapped, "encode takes no noise: attacks along samples follow the means of the lower layers")
        return
    noise = [torch.ones_like(layer) for layer in means]
    q = called("encode", x, lambda: wrapped.encode(x, noise))
    if all(torch.equal(layer.loc, mean) for layer, mean in zip(q, means, strict=True)):
        note(wrapped, "encode ignores its noise: attacks along samples follow the means of the lower layers")


def try_decoder(wrapped: Wrapped, x: Tensor, z: Sequence[Tensor]) -> None:
    """Find out whether the decoder takes a tensor or a tuple.

    Raises:
        InputError: neither gives images like x.
    """
    forms = [True]
    if len(z) == 1:
        forms = [False, True]
    errors = []
    for form in forms:
        wrapped.takes_tuple = form
        try:
            out = attempt(wrapped.decoder, x, lambda: decoded(wrapped, x, z))
            break
        except InputError as error:
            errors.append(error)
    else:
        raise errors[0]
    if image_of(out) is not None:
        variance = wrapped.convention.variance
        note(wrapped, f"decode gives an image and no distribution: pixels N(image, {variance:g}) are assumed")


def decoded(wrapped: Wrapped, x: Tensor, z: Sequence[Tensor]) -> Any:
    """What the decoder gives, if that is images like x."""
    out = wrapped.decoder_output(z)
    distribution = wrapped.image(out)
    mean = distribution.mean
    if mean.shape != x.shape:
        raise InputError(f"decode: gives images {tuple(mean.shape)} for {len(x)} latents; must be {tuple(x.shape)}")
    if not bool(mean.isfinite().all()):
        raise InputError("decode: gives NaN or infinite pixels")
    if isinstance(opened(distribution.inner), Bernoulli) and not wrapped.given.is_unit():
        raise InputError("decode: gives a Bernoulli, whose pixels are from 0 to 1; say decoded=(0, 1)")
    return out


def try_prior(wrapped: Wrapped, x: Tensor, z: Sequence[Tensor]) -> None:
    """Say that a standard normal is assumed, or look at the prior.

    Raises:
        InputError: it is not a distribution for each layer.
    """
    prior = wrapped.prior
    if prior is None:
        note(wrapped, "no prior is given: a standard normal is assumed")
        return
    p = called("prior", x, lambda: prior(z))
    if len(p) != len(z) or not all(isinstance(layer, Distribution) for layer in p):
        raise InputError(f"prior: must give a distribution for each of {len(z)} layers")


def attempt(part: Function, x: Tensor, call: Callable[[], T]) -> T:
    """What a call gives with all images at once, or else one by one, as graphs of a fixed batch of 1 need it."""
    try:
        return called(part.name, x, call)
    except InputError as error:
        part.one_by_one = True
        try:
            return called(part.name, x, call)
        except InputError:
            part.one_by_one = False
            raise error from error.__cause__


def note(wrapped: Wrapped, sentence: str) -> None:
    """Add to what is assumed."""
    wrapped.assumptions += (sentence,)
