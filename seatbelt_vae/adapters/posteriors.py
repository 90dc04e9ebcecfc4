"""The many ways in which encoders say a posterior, read as Normals."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Normal

from seatbelt_vae.attacks.protocol import as_normal
from seatbelt_vae.errors import InputError

SCALES: dict[str, Callable[[Tensor], Tensor]] = {
    "log-variance": lambda s: (0.5 * s).exp(),
    "log-scale": lambda s: s.exp(),
    "variance": lambda s: s.sqrt(),
    "scale": lambda s: s,
}
"""σ from the second tensor of a pair, by what that is."""

CODE = "code"
DISTRIBUTION = "distribution"
POSTERIORS = (*SCALES, CODE)


def read_layers(out: Any, posterior: str | None = None) -> list[Normal]:
    r"""Posteriors of layers, in the order in which an encoder gives them.

    Args:
        out: one layer, or a list or tuple of layers. A layer is a diagonal Gaussian (of torch, or anything with tensors
            ``mean`` and ``std``, as in diffusers), a pair of tensors, or a code.
        posterior: what the second tensor of a pair is: "log-variance", "log-scale", "variance" or "scale"; "code" for
            codes. None where it shows: distributions, or one code.

    Returns:
        A Normal for each layer; N(code, 1) for a code.

    Raises:
        InputError: none of that.

    Example:
        >>> (layer,) = read_layers((torch.zeros(1, 2), torch.zeros(1, 2)), "log-variance")
        >>> layer.scale
        tensor([[1., 1.]])
    """
    out = getattr(out, "latent_dist", out)
    one = read_layer(out, posterior)
    if one is not None:
        return [one]
    if not isinstance(out, list | tuple) or not out:
        raise _unreadable(out, posterior)
    layers = []
    for each in out:
        layer = read_layer(each, posterior or DISTRIBUTION)
        if layer is None:
            raise _unreadable(out, posterior)
        layers.append(layer)
    return layers


def read_layer(out: Any, posterior: str | None) -> Normal | None:
    """One layer; None where it is none. Several tensors are not taken for layers of codes unless that is said."""
    if isinstance(out, Distribution):
        return as_normal(out)
    if _has_moments(out):
        return Normal(out.mean, out.std, validate_args=False)
    if posterior in SCALES and _is_pair(out):
        loc, s = out
        return Normal(loc, SCALES[posterior](s), validate_args=False)
    if _is_code(out, posterior):
        return Normal(out, torch.ones_like(out), validate_args=False)
    return None


def gives_codes(out: Any, posterior: str | None) -> bool:
    """Whether what an encoder gives are codes without a scale."""
    return posterior == CODE or _is_code(out, posterior)


def _is_code(out: Any, posterior: str | None) -> bool:
    return isinstance(out, Tensor) and posterior in (None, CODE)


def _is_pair(out: Any) -> bool:
    return isinstance(out, list | tuple) and len(out) == 2 and all(isinstance(each, Tensor) for each in out)


def _has_moments(out: Any) -> bool:
    return isinstance(getattr(out, "mean", None), Tensor) and isinstance(getattr(out, "std", None), Tensor)


def _unreadable(out: Any, posterior: str | None) -> InputError:
    if _is_pair(out):
        return InputError(
            "encode: gives two tensors; say what the second is: posterior='log-variance', 'scale', 'log-scale' or "
            "'variance'; or posterior='code' for two layers of codes"
        )
    if type(out).__module__ == "numpy":
        return InputError("encode: gives a numpy array, which has no gradient; must be written in torch")
    kind = type(out).__name__
    if posterior in SCALES:
        return InputError(f"encode: gives a {kind}; posterior={posterior!r} needs a pair of tensors for each layer")
    return InputError(f"encode: gives a {kind}; must give a Normal, a pair of tensors, a code, or a tuple of layers")
