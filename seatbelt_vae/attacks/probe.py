"""What a model says of real images, looked at before an attack: one line in the place of a traceback or of NaN."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae.attacks.protocol import Attackable, parts, posteriors
from seatbelt_vae.errors import InputError, RunError

T = TypeVar("T")

LONGEST = 200
"""Characters of another library's message that are repeated."""


def called(name: str, x: Tensor, call: Callable[[], T]) -> T:
    """What a call of foreign code returns; what it raises, in one line.

    Args:
        name: of the function.
        x: the images that it is tried on.
        call: the call.

    Raises:
        InputError: it raised something.

    Example:
        >>> called("encode", torch.zeros(1, 3), lambda: 1 / 0)
        Traceback (most recent call last):
        seatbelt_vae.errors.InputError: encode: fails on images of shape (1, 3): ZeroDivisionError: division by zero
    """
    try:
        return call()
    except (InputError, RunError):
        raise
    except Exception as error:
        shape = tuple(x.shape)
        raise InputError(f"{name}: fails on images of shape {shape}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    r"""An exception's type and the beginning of its message.

    Example:
        >>> one_line(ValueError("first\nsecond"))
        'ValueError: first second'
    """
    message = " ".join(str(error).split())
    if len(message) > LONGEST:
        message = message[:LONGEST] + " …"
    return f"{type(error).__name__}: {message}".removesuffix(": ")


def check_whole(model: Attackable) -> None:
    """Refuse a model without its two methods, whose parts are on different devices, or whose weights are no numbers.

    Raises:
        InputError: it is such.
    """
    for name in ("encode", "decode"):
        if not callable(getattr(model, name, None)):
            advice = "seatbelt_vae.wrap(encode, decode, image_shape=…) makes it attackable"
            if isinstance(getattr(model, "module", None), nn.Module):
                advice = "give its .module"
            raise InputError(f"model: {type(model).__name__} has no {name}; {advice}")
    if not isinstance(model, nn.Module):
        return
    devices = sorted({str(parameter.device) for parameter in model.parameters()})
    if "meta" in devices:
        raise InputError("model: has no weights (its device is meta); load them first")
    if len(devices) > 1:
        raise InputError(f"model: is on {' and '.join(devices)}; must be on one device, such as by model.to('cpu')")
    for name, weight in model.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            raise InputError(f"model: its weight {name} holds NaN or infinity; load or train it again")


def check_model(model: Attackable, source: Tensor, target: Tensor) -> list[Normal]:
    """Refuse a model that cannot be attacked at these images; returns the posterior of the first.

    Args:
        model: a copy in evaluation mode.
        source: x, (P, …), on its device.
        target: x_t, likewise.

    Raises:
        InputError: it fails, gives something unreadable, or has no gradient.
    """
    first = encoded(model, source[:1])
    for images in (source, target):
        for pairs in parts(images):
            encoded(model, images[pairs])
    check_decoder(model, source[:1], first)
    check_gradient(model, source[:1])
    return first


def check_decoder(model: Attackable, x: Tensor, q: Sequence[Normal]) -> None:
    """Refuse a decoder that fails, or makes something of another size than the images.

    Raises:
        InputError: it is such.
    """
    means = [layer.loc for layer in q]
    with torch.no_grad():
        shape = tuple(called("decode", x, lambda: model.decode(means).mean.shape))
    if shape != tuple(x.shape):
        raise InputError(f"decode: gives images of shape {shape} for {tuple(x.shape)}; must be the same")


def encoded(model: Attackable, x: Tensor) -> list[Normal]:
    """The posteriors of images (B, …), checked.

    Raises:
        InputError: the model fails, or they are unusable.
    """
    with torch.no_grad():
        q = called("encode", x, lambda: posteriors(model, x))
    check_layers(q, len(x))
    return q


def check_layers(q: Sequence[Normal], images: int) -> None:
    """Refuse posteriors that nothing can be computed with.

    Raises:
        InputError: no layer, another number of rows, a mean that is not finite, a scale that is not above 0.
    """
    if not q:
        raise InputError("encode: gives no layer; must give a tuple of posteriors, one for each layer")
    for number, layer in enumerate(q):
        where = "encode"
        if len(q) > 1:
            where = f"encode, layer {number}"
        if len(layer.loc) != images or layer.loc.dim() < 2:
            shape = tuple(layer.loc.shape)
            raise InputError(f"{where}: gives means {shape} for {images} images; must be ({images}, …)")
        if not bool(layer.loc.isfinite().all()):
            raise InputError(f"{where}: gives NaN or infinite means")
        if not bool((layer.scale.isfinite() & (layer.scale > 0)).all()):
            low = float(layer.scale.min())
            raise InputError(f"{where}: gives a scale of {low:g}; every scale must be finite and above 0")


def check_gradient(model: Attackable, x: Tensor) -> None:
    """Refuse an encoder through which no gradient reaches the image.

    Args:
        model: in evaluation mode.
        x: one image, (1, …).

    Raises:
        InputError: none does.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        q = called("encode", x, lambda: posteriors(model, x))
        total = sum(layer.loc.sum() + layer.scale.sum() for layer in q)
        gradient = None
        if isinstance(total, Tensor) and total.requires_grad:
            (gradient,) = torch.autograd.grad(total, x, allow_unused=True)
    if gradient is None:
        raise InputError(
            "encode: no gradient reaches the image; take torch.no_grad(), detach() and numpy out of it "
            "(quantised graphs have none)"
        )


def ignores_noise(model: Attackable, x: Tensor) -> bool:
    """Whether an encoder of several layers says the same of images (B, …) whatever noise it is given.

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> model = seatbelt_vae((1, 28, 28), latent_sizes=(4, 2), network="mlp")
        >>> ignores_noise(model, torch.rand(1, 1, 28, 28))
        False
    """
    with torch.no_grad():
        means = posteriors(model, x)
        if len(means) < 2:
            return False
        noise = [torch.ones_like(layer.loc) for layer in means]
        samples = called("encode", x, lambda: posteriors(model, x, noise))
    return all(torch.equal(a.loc, b.loc) for a, b in zip(samples, means, strict=True))
