"""What an attack minimises, over what and from where: everything but the solver."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from seatbelt_vae.attacks.damage import PosteriorDamage, ReconstructionDamage
from seatbelt_vae.attacks.divergences import L2_SAMPLES, Divergence, find_divergence
from seatbelt_vae.attacks.evaluation import plain_copy
from seatbelt_vae.attacks.ingredients import NUDGE, START, check_images, draw_per_pair, place
from seatbelt_vae.attacks.latent import LatentObjective, Layers, choose_layers
from seatbelt_vae.attacks.output import OutputDistance, OutputObjective
from seatbelt_vae.attacks.protocol import Attackable, as_normal
from seatbelt_vae.attacks.trust import trusted
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Objective, Rounded

DIVERGENCE = {"latent": "kl", "output": "elbo", "damage": "reconstruction"}
"""The modes, and what each minimises unless told otherwise."""
OUTPUT_SAMPLES = 4
OTHER_STREAM = 2**31
"""Added to the seed where noise must not be that of any other seed in use."""


@dataclass(frozen=True)
class Setup:
    """The bounded problem of every pair: minimise r(d) + λ‖d‖ over lower ≤ d ≤ upper.

    Attributes:
        objective: the smooth part r, ``r(d, pairs) -> values``: d (B, n), pairs (B,), values (B,).
        start: (P, n), almost 0; in a damage attack within a hundredth a pixel.
        lower: bounds that keep x + d in those of the data, (P, n).
        upper: likewise.
        source: x on the model's device, (P, C, H, W).
        target: x_t, likewise.
        layers: those whose posteriors are compared, 0 the bottom.
        samples: sets of random numbers drawn for every pair.
        rounded: r with the kinks of its activations rounded off, ``rounded(d, pairs, width)``; None where it has none.
    """

    objective: Objective
    start: Tensor
    lower: Tensor
    upper: Tensor
    source: Tensor
    target: Tensor
    layers: tuple[int, ...]
    samples: int
    rounded: Rounded | None


def prepare(
    model: Attackable,
    source: Tensor,
    target: Tensor | None = None,
    *,
    mode: str = "latent",
    divergence: str | Divergence | None = None,
    layers: Layers = None,
    samples: int | None = None,
    target_noise: str = "same",
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Setup:
    """Check what is to be attacked, and pose the problem: for solvers of your own.

    Arguments are those of :func:`~seatbelt_vae.attacks.attack.attack`. The model is copied and its parameters frozen.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; an unknown name; a model that is not a function
            of each image.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
        >>> setup = prepare(model, x, x.flip(0))
        >>> setup.objective(setup.start, torch.arange(2)).shape
        torch.Size([2])
    """
    if mode not in DIVERGENCE:
        raise InputError(f"mode {mode!r}: must be one of {', '.join(DIVERGENCE)}")
    if target is None and mode != "damage":
        raise InputError(f"target: a {mode} attack needs target images")
    source = place(model, source)
    target = source if target is None else place(model, target)
    check_images(source, target, bounds)
    plain = plain_copy(model)
    shapes = latent_shapes(plain, source)
    chosen = choose_layers(layers, len(shapes), getattr(model, "decoder_sees", "all"))
    samples = default_samples(mode, divergence) if samples is None else samples
    start, noise = draw_per_pair(source, shapes, samples, seed, NUDGE if mode == "damage" else START)
    low, high = bounds[0] - source.flatten(1), bounds[1] - source.flatten(1)
    theirs = None if target_noise == "same" else _own_noise(target_noise, mode, source, shapes, samples, seed)

    def pose(copied: Attackable, pairs: int) -> Objective:
        drawn = [None if paths is None else [layer[:pairs] for layer in paths] for paths in (noise, theirs)]
        return objective(mode, divergence, copied, source[:pairs], target[:pairs], chosen, *drawn)

    smooth, rough = trusted(model, plain, pose, source, samples, low, high)
    return Setup(smooth, start.clamp(low, high), low, high, source, target, chosen, samples, rough)


def objective(
    mode: str,
    divergence: str | Divergence | None,
    model: Attackable,
    source: Tensor,
    target: Tensor,
    layers: tuple[int, ...],
    noise: list[Tensor] | None,
    target_noise: list[Tensor] | None = None,
) -> Objective:
    """The smooth part r of an attack, ``r(d, pairs) -> values``.

    Raises:
        InputError: a divergence that the mode does not have.
    """
    name = DIVERGENCE[mode] if divergence is None else divergence
    if mode == "latent":
        compare = find_divergence(name)
        return LatentObjective(model, source, target, compare, layers, noise, name == L2_SAMPLES, target_noise)
    if mode == "damage":
        if name == "reconstruction":
            return ReconstructionDamage(model, source)
        return PosteriorDamage(model, source, find_divergence(name), layers)
    if name in ("elbo", "kl"):
        return OutputObjective(model, source, target, noise)
    if name == "l2":
        return OutputDistance(model, source, target, noise)
    raise InputError(f"divergence {named(name, mode)!r}: an output attack has elbo and l2")


def latent_shapes(model: Attackable, source: Tensor) -> list[torch.Size]:
    """The shapes of a model's latents, the bottom first, without the batch.

    Raises:
        InputError: its posteriors are not a sequence of Normals.

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> latent_shapes(seatbelt_vae((1, 28, 28), latent_sizes=(5, 4), network="mlp"), torch.zeros(1, 1, 28, 28))
        [torch.Size([5]), torch.Size([4])]
    """
    with torch.no_grad():
        posteriors = model.encode(source[:1])
    if isinstance(posteriors, Distribution):
        raise InputError("encode: returns one distribution; must return a tuple of them, one for each layer")
    return [as_normal(q).loc.shape[1:] for q in posteriors]


def _own_noise(
    target_noise: str, mode: str, source: Tensor, shapes: Sequence[torch.Size], samples: int, seed: int
) -> list[Tensor] | None:
    """Noise for the target's paths that is independent of the source's."""
    if target_noise != "own":
        raise InputError(f"target_noise {target_noise!r}: must be same or own")
    if mode != "latent" or not samples:
        raise InputError("target_noise own: needs a latent attack that follows samples, such as samples=4")
    return draw_per_pair(source, shapes, samples, seed + OTHER_STREAM)[1]


def default_samples(mode: str, divergence: str | Divergence | None) -> int:
    """Sets of random numbers that an attack follows unless told otherwise.

    Example:
        >>> default_samples("latent", "kl"), default_samples("latent", "l2-samples"), default_samples("output", None)
        (0, 1, 4)
    """
    if mode == "output":
        return 0 if divergence == "l2" else OUTPUT_SAMPLES
    return int(divergence == L2_SAMPLES)


def named(divergence: str | Divergence | None, mode: str) -> str:
    """A divergence's name, that of its function where it is the user's own.

    Example:
        >>> named(None, "output"), named(max, "latent")
        ('elbo', 'max')
    """
    if divergence is None or (mode == "output" and divergence == "kl"):
        return DIVERGENCE[mode]
    return divergence if isinstance(divergence, str) else str(getattr(divergence, "__name__", "custom"))
