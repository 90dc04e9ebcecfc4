"""What a pair of functions does: tried once, on two images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.adapters.images import image_of
from seatbelt_vae.adapters.posteriors import gives_codes
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.attacks.probe import called, check_device, check_gradient, check_layers
from seatbelt_vae.attacks.protocol import frozen, place
from seatbelt_vae.errors import InputError


def tried(wrapped: Wrapped) -> Wrapped:
    """Try the pair on two images: set what depends on what it gives, and say what is assumed.

    Raises:
        InputError: it fails, gives something unreadable, or has no gradient.
    """
    check_device(wrapped)
    with frozen(wrapped):
        x = place(wrapped, trial_images(wrapped.image_shape))
        with torch.no_grad():
            out = called("encode", x, lambda: wrapped.encoder_output(x))
            wrapped.deterministic = gives_codes(getattr(out, "latent_dist", out), wrapped.posterior)
            q = called("encode", x, lambda: wrapped.encode(x))
            check_layers(q, len(x))
            means = [layer.loc for layer in q]
            decoded = decoding(wrapped, means, x)
        check_gradient(wrapped, x[:1])
        ignored = ignores_noise(wrapped, x, means)
    wrapped.assumptions += tuple(assumptions(wrapped, depth=len(q), image=image_of(decoded) is not None))
    if ignored:
        wrapped.assumptions += ("encode takes noise and ignores it: attacks along samples follow the means",)
    return wrapped


def trial_images(image_shape: Sequence[int]) -> Tensor:
    """Two images of noise in [0, 1], always the same."""
    return torch.rand(2, *image_shape, generator=torch.Generator().manual_seed(0))


def decoding(wrapped: Wrapped, z: Sequence[Tensor], x: Tensor) -> Any:
    """What the decoder gives for latents; whether it takes a tensor or a tuple is found out.

    Raises:
        InputError: neither gives images like x.
    """
    forms = [True]
    if len(z) == 1:
        forms = [False, True]
    errors = []
    for wrapped.takes_tuple in forms:
        try:
            return called("decode", x, lambda: _decoded(wrapped, z, x))
        except InputError as error:
            errors.append(error)
    wrapped.takes_tuple = forms[0]
    raise errors[0]


def _decoded(wrapped: Wrapped, z: Sequence[Tensor], x: Tensor) -> Any:
    mean = wrapped.decode(z).mean
    if mean.shape != x.shape:
        raise InputError(f"decode: gives images {tuple(mean.shape)} for {len(x)} latents; must be {tuple(x.shape)}")
    if not bool(mean.isfinite().all()):
        raise InputError("decode: gives NaN or infinite pixels")
    return wrapped.decoder_output(z)


def ignores_noise(wrapped: Wrapped, x: Tensor, means: Sequence[Tensor]) -> bool:
    """Whether an encoder of several layers says the same whatever its noise is."""
    if len(means) < 2 or not wrapped.encoder.takes_noise:
        return False
    noise = [torch.ones_like(layer) for layer in means]
    with torch.no_grad():
        q = called("encode", x, lambda: wrapped.encode(x, noise))
    return all(torch.equal(layer.loc, mean) for layer, mean in zip(q, means, strict=True))


def assumptions(wrapped: Wrapped, depth: int, image: bool) -> list[str]:
    """What is taken for granted, a sentence each."""
    said = []
    if wrapped.deterministic:
        said.append("encode gives a code and no scale: this is no VAE, and the distance of codes is attacked")
    if wrapped.own_prior is None:
        said.append("no prior given: a standard normal is assumed")
    if image:
        said.append(f"decode gives an image and no distribution: pixels N(image, {wrapped.variance:g}) are assumed")
    for part in (wrapped.encoder, wrapped.decoder):
        if not part.seen:
            said.append(f"{part.name} is a plain function: its modules are taken to be in evaluation mode")
    if depth > 1 and not wrapped.encoder.takes_noise:
        said.append("encode takes no noise: attacks along samples follow the means of the lower layers")
    if wrapped.condition is not None or wrapped.fixed is not None:
        said.append("the condition is the same for every image")
    return said
