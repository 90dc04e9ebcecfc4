"""What a pair of functions does: tried once, on two images."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution

from seatbelt_vae.adapters.images import image_of
from seatbelt_vae.adapters.posteriors import gives_codes, read_layers
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.attacks.probe import called, check_gradient, check_layers, check_whole, ignores_noise
from seatbelt_vae.attacks.protocol import frozen, opened, place
from seatbelt_vae.errors import InputError

Way = TypeVar("Way")


def tried(wrapped: Wrapped) -> Wrapped:
    """The same, after two images: what depends on what it gives is set, and what is assumed is said.

    Raises:
        InputError: it fails, gives something unreadable, or has no gradient.
    """
    check_whole(wrapped)
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
    if wrapped.convention.condition is not None:
        note(wrapped, "the condition is the same for every image")
    return wrapped


def try_encoder(wrapped: Wrapped, x: Tensor) -> list[Tensor]:
    """Find out whether the encoder takes several images at once; the means of its layers, bottom first."""
    posterior = wrapped.convention.posterior

    def encode(one_by_one: bool) -> Any:
        wrapped.encoder.one_by_one = one_by_one
        return wrapped.encoder_output(x)

    out = attempt("encode", x, (False, True), encode)
    wrapped.deterministic = gives_codes(out, posterior)
    if wrapped.deterministic:
        note(wrapped, "encode gives a code and no scale: this is no VAE, and the distance of codes is attacked")
    dtype = read_layers(out, posterior)[0].loc.dtype
    if dtype != x.dtype:
        note(wrapped, f"encode gives {dtype}: what is smaller than its rounding is not seen")
    q = wrapped.layers(out, x.dtype)
    check_layers(q, len(x))
    if len(q) > 1 and not wrapped.encoder.takes_noise:
        note(wrapped, "encode takes no noise: attacks along samples follow the means of the lower layers")
    elif ignores_noise(wrapped, x):
        note(wrapped, "encode ignores its noise: attacks along samples follow the means of the lower layers")
    return [layer.loc for layer in q]


def try_decoder(wrapped: Wrapped, x: Tensor, z: Sequence[Tensor]) -> None:
    """Find out whether the decoder takes a tensor or a tuple, and several at once.

    Raises:
        InputError: neither gives images like x.
    """
    ways = [(True, False), (True, True)]
    if len(z) == 1:
        ways = [(False, False), (True, False), (False, True)]

    def decode(way: tuple[bool, bool]) -> Any:
        wrapped.takes_tuple, wrapped.decoder.one_by_one = way
        return decoded(wrapped, x, z)

    out = attempt("decode", x, ways, decode)
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


def attempt(name: str, x: Tensor, ways: Sequence[Way], call: Callable[[Way], Any]) -> Any:
    """What the first way that works gives.

    Raises:
        InputError: none does; what was wrong with the first.
    """
    errors = []
    for way in ways:
        try:
            return called(name, x, lambda way=way: call(way))  # type: ignore[misc]
        except InputError as error:
            errors.append(error)
    raise errors[0]


def note(wrapped: Wrapped, sentence: str) -> None:
    """Add to what is assumed."""
    wrapped.assumptions += (sentence,)
