"""What a model is given, checked: sizes, and networks by name or of the user's own making."""

from collections.abc import Collection, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.networks import NETWORKS, ImageShape, check_image_shape
from seatbelt_vae.settings import shown


def check_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Return the sizes as a tuple if they are positive whole numbers, at least one.

    Raises:
        InputError: none, or one below 1.
    """
    if not isinstance(sizes, Sequence) or len(sizes) == 0 or not all(map(_is_size, sizes)):
        raise InputError(f"{name} {shown(sizes)}: must be one positive whole number for each layer, bottom first")
    return tuple(map(int, sizes))


def check_name(kind: str, name: Any, known: Collection[str]) -> None:
    """Refuse a name that is not one of those known.

    Raises:
        InputError: it is none of them.
    """
    if not isinstance(name, str) or name not in known:
        raise InputError(f"{kind} {shown(name)}: must be one of {', '.join(known)}")


def check_shape(image_shape: Any) -> ImageShape:
    """Return (C, H, W).

    Raises:
        InputError: not three positive whole numbers.
    """
    if not isinstance(image_shape, Sequence) or len(image_shape) != 3 or not all(map(_is_size, image_shape)):
        found = shown(image_shape)
        raise InputError(f"image shape {found}: must be three positive whole numbers: channels, height, width")
    channels, height, width = map(int, image_shape)
    return channels, height, width


def networks(network: Any, shape: ImageShape, latent_size: int, maps: int) -> tuple[nn.Module, int, nn.Module]:
    """Encoder features, their width, and the decoder: by name, or modules of the user's own.

    Raises:
        InputError: an unknown name, or a user's module of the wrong shape.
    """
    if isinstance(network, str):
        if network not in NETWORKS:
            names = ", ".join(NETWORKS)
            raise InputError(f"network {shown(network)}: must be one of {names}, or (encoder, decoder) modules")
        check_image_shape(shape)
        features_class, decoder_class = NETWORKS[network]
        return features_class(shape), features_class.size, decoder_class(latent_size, shape, maps)
    encoder, decoder = _pair(network)
    features = probe("encoder", encoder, (2, *shape))
    if features.dim() != 2 or len(features) != 2:
        found = tuple(features.shape)
        raise InputError(f"encoder: must map images to (batch, features), gave {found} for a batch of 2")
    image = probe("decoder", decoder, (2, latent_size))
    expected = (2, maps, *shape[1:])
    if image.shape != expected:
        raise InputError(f"decoder: must map (2, {latent_size}) to {expected}, gave {tuple(image.shape)}")
    return encoder, features.shape[1], decoder


def probe(name: str, module: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """A module's output on zeros of a shape, its batch statistics and modes left as they were.

    Raises:
        InputError: the module does not take that shape.
    """
    modes = [(each, each.training) for each in module.modules()]
    weight = next(module.parameters(), torch.zeros(()))
    zeros = torch.zeros(shape, dtype=weight.dtype, device=weight.device)
    try:
        with torch.no_grad():
            output: Tensor = module.eval()(zeros)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: does not take an input of shape {shape} ({reason})") from error
    finally:
        for each, training in modes:
            each.training = training
    if not isinstance(output, Tensor):
        raise InputError(f"{name}: must return a tensor, gave a {type(output).__name__}")
    return output


def _is_size(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _pair(network: Any) -> tuple[nn.Module, nn.Module]:
    """The user's encoder and decoder, if that is what they are."""
    if isinstance(network, Sequence) and len(network) == 2:
        encoder, decoder = network
        if isinstance(encoder, nn.Module) and isinstance(decoder, nn.Module):
            return encoder, decoder
    raise InputError(f"network: must be one of {', '.join(NETWORKS)}, or a pair of modules (encoder, decoder)")
