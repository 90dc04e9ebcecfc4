"""What can be attacked: anything that encodes images to Gaussians and decodes latents to a distribution."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.conditional import standard_normal

PART, PIXELS = 16, 2**18
"""Of what is computed once for all images, without a gradient: images at a time, and their pixels."""


WRAP = "seatbelt_vae.wrap(encode, decode, image_shape=…)"
"""What makes a model of anything that can be attacked."""


@runtime_checkable
class Attackable(Protocol):
    """A model that an attack can work on.

    Optional: ``prior(z) -> tuple[Distribution, …]``, the priors of the layers at given samples (N(0, I) where there is
    none); ``decoder_sees``, ``"all"`` or ``"bottom"``, which decides the layers a latent attack aims at; and
    ``deterministic``, true where the posterior is a code with a scale of no meaning, which is not sampled.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> isinstance(vae((1, 28, 28), network="mlp"), Attackable)
        True
    """

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Distribution, ...]:
        """The posteriors of images (B, …), bottom layer first; deterministic given `noise`.

        Without noise the means are propagated from layer to layer; with one standard normal (B, …) per layer, samples.
        """
        ...

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        """p(x | z): ``mean`` (B, …), and ``log_prob(x)`` (B,) in nats."""
        ...


def as_normal(distribution: Distribution) -> Normal:
    """The Normal inside of a posterior, event dimensions opened up.

    Raises:
        InputError: it is not a diagonal Gaussian.

    Example:
        >>> as_normal(Independent(Normal(torch.zeros(2, 3), torch.ones(2, 3)), 1)).loc.shape
        torch.Size([2, 3])
    """
    distribution = opened(distribution)
    if not isinstance(distribution, Normal):
        kind = type(distribution).__name__
        raise InputError(f"posterior {kind}: attacks need a diagonal Gaussian (Normal); {WRAP} makes one of others")
    return distribution


def opened(distribution: Distribution) -> Distribution:
    """A distribution, its event dimensions opened up where they are independent."""
    while isinstance(distribution, Independent):
        distribution = distribution.base_dist
    return distribution


def log_likelihood(model: Attackable, z: Sequence[Tensor], images: Tensor) -> Tensor:
    """Log p(x | z), (B,) in nats.

    Raises:
        InputError: the distribution refuses grey values, as torch's Bernoulli does unless it is told not to look.
    """
    found = model.decode(z)
    try:
        return found.log_prob(images)
    except ValueError as error:
        if "within the support" not in str(error):
            raise
        kind = type(opened(found)).__name__
        raise InputError(f"decode: its {kind} refuses these images; make it with validate_args=False") from error


def posteriors(model: Attackable, x: Tensor, noise: Sequence[Tensor] | None = None) -> list[Normal]:
    """The posteriors of images (B, …), bottom layer first.

    Raises:
        InputError: they are not a sequence of Normals.
    """
    if noise is None:
        q = model.encode(x)
    else:
        q = model.encode(x, noise)
    if isinstance(q, Distribution):
        raise InputError("encode: returns one distribution; must return a tuple of them, one for each layer")
    if not isinstance(q, list | tuple):
        raise InputError(f"encode: returns a {type(q).__name__}; must return a tuple of Normals: {WRAP} does")
    return [as_normal(layer) for layer in q]


def latent_shapes(model: Attackable, source: Tensor) -> list[torch.Size]:
    """The shapes of a model's latents, the bottom first, without the batch."""
    with torch.no_grad():
        return [q.loc.shape[1:] for q in posteriors(model, source[:1])]


def encode_paths(
    model: Attackable,
    x: Tensor,
    noise: Sequence[Tensor] | None,
    rows: Tensor,
) -> tuple[list[Normal], list[Tensor] | None]:
    """The posteriors of images along one or more paths of common noise, and that noise, all (B·S, …).

    The posterior of a model's only layer does not depend on what is sampled from it, so there each image is encoded
    once, however many samples there are.

    Args:
        model: what encodes.
        x: images (B, C, H, W).
        noise: S sets for every row of a larger batch, each layer (P, S, …); None to follow the means (S is 1).
        rows: which of them belong to the images, (B,).

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
        >>> encode_paths(model, x, [torch.randn(2, 3, 4)], torch.arange(2))[0][0].loc.shape
        torch.Size([6, 4])
    """
    if noise is None:
        return posteriors(model, x), None
    samples = noise[0].shape[1]
    paths = [layer[rows].flatten(0, 1) for layer in noise]
    if len(noise) > 1:
        x = x.repeat_interleave(samples, dim=0)
        return posteriors(model, x, paths), paths
    (only,) = posteriors(model, x)
    loc = only.loc.repeat_interleave(samples, dim=0)
    scale = only.scale.repeat_interleave(samples, dim=0)
    return [Normal(loc, scale, validate_args=False)], paths


def as_samples(q: Sequence[Normal], noise: Sequence[Tensor] | None) -> tuple[Tensor, ...]:
    """Samples z_l = loc + scale · noise_l for each layer; the means without noise."""
    if noise is None:
        return tuple(layer.loc for layer in q)
    return tuple(layer.loc + layer.scale * eps for layer, eps in zip(q, noise, strict=True))


def prior_of(model: Attackable, z: Sequence[Tensor]) -> tuple[Distribution, ...]:
    """The priors of the layers at samples z: the model's own, or N(0, I) each."""
    own = getattr(model, "prior", None)
    if own is not None:
        return tuple(opened(p) for p in own(z))
    return tuple(standard_normal(layer) for layer in z)


def mean_image(model: Attackable, x: Tensor) -> Tensor:
    """The mean image decoded from the posterior means, (B, …)."""
    mean: Tensor = model.decode([q.loc for q in posteriors(model, x)]).mean
    return mean


def distorted(source: Tensor, d: Tensor, pairs: Tensor) -> Tensor:
    """Images x + d of the given pairs (B,) for distortions d (B, n), (B, …)."""
    return source[pairs] + d.view(-1, *source.shape[1:])


def place(model: Attackable, images: Tensor) -> Tensor:
    """Images on the model's device and in its dtype; uint8 is refused, as its scale is anyone's guess.

    Raises:
        InputError: no tensor, not floating point, or a model of half precision.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> place(vae((1, 28, 28), network="mlp"), torch.zeros(1, 1, 28, 28, dtype=torch.float64)).dtype
        torch.float32
    """
    if not isinstance(images, Tensor):
        raise InputError(f"images: a {type(images).__name__}; must be a tensor: torch.as_tensor(images)")
    if not images.is_floating_point():
        raise InputError(f"images of dtype {images.dtype}: must be floating point; divide 8-bit images by 255")
    images = images.detach()
    if not isinstance(model, nn.Module):
        return images
    parameter = next(model.parameters(), images)
    if parameter.dtype not in (torch.float32, torch.float64):
        name = str(parameter.dtype).removeprefix("torch.")
        raise InputError(f"model: is in {name}; attacks need float32 or float64: model.float()")
    return images.to(parameter)


def parts(images: Tensor, samples: int = 0) -> tuple[Tensor, ...]:
    """The indices of images (P, C, …) in small parts: for what is computed once for all of them."""
    size = max(1, at_a_time(images, PART) // max(1, samples))
    return torch.arange(len(images), device=images.device).split(size)


def at_a_time(images: Tensor, most: int) -> int:
    """How many images (P, C, …) to evaluate at a time without a gradient: `most`, or fewer large ones.

    Example:
        >>> at_a_time(torch.zeros(1, 3, 64, 64), 16), at_a_time(torch.zeros(1, 3, 512, 512), 16)
        (16, 1)
    """
    pixels = images[0, 0].numel()
    return max(1, min(most, PIXELS // pixels))


def to_evaluation(model: nn.Module) -> None:
    """Evaluation mode, also where a graph of torch.export, which has no other, refuses to be asked for it.

    Example:
        >>> module = nn.Dropout()
        >>> to_evaluation(module)
        >>> module.training
        False
    """
    try:
        model.eval()
    except NotImplementedError:
        for module in model.modules():
            module.training = False


@contextmanager
def frozen(model: Attackable) -> Iterator[None]:
    """Evaluation mode and no gradients into the weights while the block runs; restored after it.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 28, 28), network="mlp")
        >>> with frozen(model):
        ...     print(model.training, any(p.requires_grad for p in model.parameters()))
        False False
        >>> model.training
        True
    """
    if not isinstance(model, nn.Module):
        yield
        return
    modes = [(module, module.training) for module in model.modules()]
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        to_evaluation(model)
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module, training in modes:
            module.training = training
