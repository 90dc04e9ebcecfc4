"""What an attack minimises, over what and from where: everything but budget and solver."""

from dataclasses import dataclass, replace
from numbers import Real

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation.copies import plain_copy
from seatbelt_vae.attacks.evaluation.memory import images_per_call
from seatbelt_vae.attacks.evaluation.verified import verified
from seatbelt_vae.attacks.latent import Latent
from seatbelt_vae.attacks.noise import draw
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.probe import check_model, check_whole
from seatbelt_vae.attacks.protocol import Attackable, place
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Box, Objective, Problem
from seatbelt_vae.settings import shown


@dataclass(frozen=True, eq=False)
class Setup:
    """The bounded problem of every pair.

    Attributes:
        problem: r(d), a start next to 0, the bounds that keep x + d in those of the data, and the rows of a call.
        source: x on the model's device, (P, C, H, W).
        target: x_t, likewise; x where the objective has no target.
        objective: what r is, with every setting that was left open decided.
    """

    problem: Problem
    source: Tensor
    target: Tensor
    objective: AttackObjective


def prepare(
    model: Attackable,
    source: Tensor,
    target: Tensor | None = None,
    objective: AttackObjective = Latent(),  # noqa: B008
    *,
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Setup:
    """Check what is to be attacked, and pose the problem: for solvers of your own.

    Arguments are those of :func:`~seatbelt_vae.attacks.attack.attack`. The model is copied and its parameters frozen.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; a layer that the model has not; a model that is
            not a function of each image.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
        >>> problem = prepare(model, x, x.flip(0)).problem
        >>> problem.fun(problem.x0, torch.arange(2)).shape
        torch.Size([2])
    """
    check_target(objective, target)
    source = place(model, source)
    goal = source
    if target is not None:
        goal = place(model, target)
    check_images(source, goal, bounds)
    check_whole(model)
    plain = plain_copy(model)
    shapes = [layer.loc.shape[1:] for layer in check_model(plain, source, goal)]
    objective = objective.resolved(len(shapes), getattr(model, "decoder_sees", "all"))
    samples = objective.draws
    direction, noise = draw(source, shapes, samples, seed)
    if getattr(model, "deterministic", False):
        noise = noise.silent()
    start = (objective.reach * direction).to(source)
    box = Box(bounds[0] - source.flatten(1), bounds[1] - source.flatten(1))

    def pose(copied: Attackable, pairs: int) -> Objective:
        return objective.pose(copied, source[:pairs], goal[:pairs], noise.first(pairs))

    fun, smoothed = verified(model, plain, pose, source, samples, box)
    chunk = images_per_call(source, samples)
    x0 = start.clamp(box.lower, box.upper)
    anchor = None
    if objective.targeted:
        anchor = (goal - source).flatten(1).clamp(box.lower, box.upper)
    problem = Problem(fun, x0, box.lower, box.upper, smoothed, chunk, anchor)
    if smoothed is not None:
        problem = replace(problem, softened=replace(smoothed, keep_values=True))
    return Setup(problem, source, goal, objective)


def check_target(objective: AttackObjective, target: Tensor | None) -> None:
    """Refuse a target that is missing, and one that would do nothing.

    Raises:
        InputError: either.
    """
    if objective.targeted and target is None:
        raise InputError(f"target: the objective {objective.name} needs target images")
    if not objective.targeted and target is not None:
        raise InputError(f"target: the objective {objective.name} has none, leave it out")


def check_bounds(bounds: tuple[float, float]) -> None:
    """Refuse bounds that are not two ascending numbers.

    Raises:
        InputError: they are not; those of each channel are for `wrap`.
    """
    numbers = isinstance(bounds, list | tuple) and len(bounds) == 2 and all(isinstance(each, Real) for each in bounds)
    if not numbers:
        raise InputError(
            f"bounds {shown(bounds)}: must be two numbers; a model of other units is wrapped: sb.wrap(…, bounds=…)"
        )
    if not bounds[0] < bounds[1]:
        raise InputError(f"bounds {bounds}: the lower must be below the upper")


def check_images(source: Tensor, target: Tensor, bounds: tuple[float, float]) -> None:
    """Refuse images that the bounded problem cannot start from.

    Raises:
        InputError: shapes differ or are not (P, …), no pair, a NaN, a value out of bounds.
    """
    if source.shape != target.shape or source.dim() < 2 or source.numel() == 0:
        shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
        raise InputError(
            f"source and target: must both be (pairs, C, H, W), or (pairs, …), with a pair at least, got {shapes}"
        )
    check_bounds(bounds)
    for name, images in (("source", source), ("target", target)):
        if not bool(torch.isfinite(images).all()):
            raise InputError(f"{name}: holds NaN or infinite pixels; every pixel must be in {list(bounds)}")
        low = images.min().item()
        high = images.max().item()
        if low < bounds[0] or high > bounds[1]:
            raise InputError(f"{name}: pixels from {low:g} to {high:g} are outside of bounds {list(bounds)}")
