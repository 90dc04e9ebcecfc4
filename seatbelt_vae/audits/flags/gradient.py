"""Signs in the gradient: it is missing, zero, of another function, or too coarse in its numbers."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.audits.flags.flag import Evidence, Flag, above
from seatbelt_vae.audits.whitebox import Posed, tried
from seatbelt_vae.optim.problem import value_and_gradient

STEPS = (0.005, 0.02)
"""Lengths of differences, in units of the distance between two images; the better of them counts."""

STRAY = 0.3
"""Largest difference of slopes, as a share of them."""

PRECISE = 0.05
"""Largest difference between precisions."""

CHECKED = ("latent-kl", "latent-means", "output")


def no_gradient(evidence: Evidence) -> Flag:
    """A detached graph, code that is not differentiated, a model that objects."""
    failed = [each for each in evidence.attempts if each.failure]
    value = len(failed) / len(evidence.attempts)
    reasons = "; ".join(dict.fromkeys(each.failure for each in failed))
    advice = "Give the model a gradient from image to code (no detach, no numpy, no no_grad)."
    if reasons:
        advice = f"{advice[:-1]}; it said: {reasons[:300]}"
    return Flag(
        "no_gradient",
        raised=above(value, 0.0),
        value=value,
        rule="an attack of the suite could not be made",
        advice=advice,
    )


def gradient_zero(evidence: Evidence) -> Flag:
    """Rounding, saturation and underflow have gradients of exactly 0."""
    zero = torch.zeros(len(evidence.subject.source), dtype=torch.bool)
    for name in CHECKED:
        if name in evidence.posed:
            zero = zero | (evidence.posed[name].gradient == 0).all(1).cpu()
    value = None
    if evidence.posed:
        value = float(zero.double().mean())
    return Flag(
        "gradient_zero",
        raised=above(value, 0.0),
        value=value,
        rule="the gradient at some source is exactly 0",
        advice="Something rounds, saturates or is constant: attack it through a smooth stand-in.",
    )


def finite_differences(evidence: Evidence) -> Flag:
    """A gradient that is flipped, shuffled, shattered or of something else."""
    strays = [_stray(evidence.posed[name]) for name in CHECKED if name in evidence.posed]
    value = max(strays, default=None)
    return Flag(
        "finite_differences",
        raised=above(value, STRAY),
        value=value,
        rule=f"slopes between images differ from differences over {STEPS[0]:g} and {STEPS[1]:g} of the way by "
        f"more than {STRAY:g} of them",
        advice="The gradient is not that of the function at the scale of an attack: look for custom backward passes, "
        "quantisation or fine oscillation.",
    )


def _stray(posed: Posed) -> float:
    """Relative distance of slopes from differences, the median over pairs, in the middle of four images."""
    source = posed.setup.source.flatten(1)
    target = posed.setup.target.flatten(1)
    third = source.roll(1, 0)
    fourth = target.roll(1, 0)
    base = 0.4 * source + 0.2 * (target + third + fourth) - source
    ways = (target - source, third - fourth, source - fourth)
    pairs = torch.arange(len(source), device=source.device)
    fun = posed.problem.fun
    _, gradient = value_and_gradient(fun, base, pairs, posed.problem.chunk)
    slopes = torch.stack([(gradient * way).sum(1) for way in ways], 1).double()
    found = []
    for step in STEPS:
        with torch.no_grad():
            rises = [fun(base + step * way, pairs) - fun(base - step * way, pairs) for way in ways]
        found.append(_apart(slopes, torch.stack(rises, 1).double() / (2 * step)))
    return min(found)


def _apart(slopes: Tensor, differences: Tensor) -> float:
    """The median over pairs of the relative distance of slopes from differences, (P, W) each; 0 where both are 0."""
    size = torch.maximum(slopes.norm(dim=1), differences.norm(dim=1))
    stray = (slopes - differences).norm(dim=1) / size
    stray = stray[size > 0]
    if not len(stray):
        return 0.0
    return float(stray.nan_to_num(torch.inf).median())


def float64(evidence: Evidence) -> Flag:
    """Half precision inside, or numbers so large that single precision loses the slope."""
    value = tried(lambda: _imprecision(evidence), lambda failure: None)
    return Flag(
        "float64",
        raised=above(value, PRECISE),
        value=value,
        rule=f"in double precision an objective or its gradient is another one by more than {PRECISE:g}",
        advice="Audit the model in float64, and look for half precision inside of it.",
    )


def _imprecision(evidence: Evidence) -> float | None:
    """Relative change of r in the middle of four images, and of its gradient's direction, the larger of the medians."""
    model = evidence.subject.model
    if not isinstance(model, nn.Module):
        return None
    double: Any = copy.deepcopy(model).double()
    found = []
    for name in CHECKED:
        posed = evidence.posed.get(name)
        if posed is None:
            continue
        d = 0.3 * (posed.setup.target - posed.setup.source).flatten(1)
        single = _at(posed, model, d)
        exact = _at(posed, double, d.double())
        r = (single[0] - exact[0]).abs() / exact[0].abs().clamp(min=1e-30)
        angle = 1 - torch.cosine_similarity(single[1].double(), exact[1], dim=1)
        found += [float(r.nan_to_num(torch.inf).median()), float(angle.nan_to_num(torch.inf).median())]
    return max(found, default=None)


def _at(posed: Posed, model: Any, d: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient of an objective on a model, in the precision of d."""
    source = posed.setup.source.to(d)
    target = posed.setup.target.to(d)
    fun = posed.setup.objective.pose(model, source, target, Noise())
    pairs = torch.arange(len(d), device=d.device)
    return value_and_gradient(fun, d, pairs, posed.problem.chunk)
