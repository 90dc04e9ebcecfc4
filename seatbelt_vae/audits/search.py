"""A search without gradients: differences along random directions, uphill in success, inside a ball."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from seatbelt_vae.audits.subject import Found, Subject, together
from seatbelt_vae.metrics.robustness import with_axes_of

ROUNDS = 8
DIRECTIONS = 12
REACH = 0.1
"""Length of a difference in units of the ball's radius: far above rounding, and above any fine structure."""

STEPS = (0.1, 0.3, 1.0)
"""Lengths of steps uphill in the same units."""

COARSE = 8
"""Pixels a side of the smooth half of the directions."""

SMOOTH = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""How they are made larger, by the number of sides."""


def search(subject: Subject, start: Tensor, radius: Tensor, seed: int) -> Found:
    """Improve images (P, C, H, W) by their success within ‖x* − x‖ ≤ radius (P,), by what the model says alone.

    Each round asks the model at x* ± h v for random v, half of them smooth, half white, one towards the target; goes
    along the differences' sum; and keeps what is better. What gradients hide cannot hide from it.

    Args:
        subject: the model and its pairs.
        start: where it sets out; inside the ball.
        radius: of the ball, in the data's units.
        seed: of the directions.
    """
    generator = torch.Generator().manual_seed(seed)
    anywhere = torch.full((len(start),), torch.inf)
    best = subject.judge("search", start[:, None], len(start))
    radius = with_axes_of(radius.to(start), best.images)
    steps = with_axes_of(torch.tensor([STEPS]).to(start), best.images)
    for _ in range(ROUNDS):
        v = _directions(subject, best.images[:, 0], generator)
        around = [best.images + sign * REACH * radius * v for sign in (1, -1)]
        seen = subject.judge("around", torch.cat(around, 1).clamp(*subject.bounds))
        ahead, behind = seen.success.chunk(2, 1)
        slope = with_axes_of(ahead - behind, v)
        uphill = _unit((slope * v).sum(1, keepdim=True))
        stepped = subject.judge("search", _inside(subject, best.images + steps * radius * uphill, radius))
        spent = len(start) * (2 * v.shape[1] + len(STEPS))
        best = together("search", [best, stepped]).best_within(anywhere)
        best = replace(best, evaluations=best.evaluations + spent)
    return best


def _directions(subject: Subject, images: Tensor, generator: torch.Generator) -> Tensor:
    """Directions of length 1, (P, V, C, H, W)."""
    pairs, *shape = images.shape
    half = DIRECTIONS // 2
    white = torch.randn(pairs * half, *shape, generator=generator)
    channels, *sides = shape
    small = torch.randn(pairs * half, channels, *[COARSE] * len(sides), generator=generator)
    smooth = F.interpolate(small, tuple(sides), mode=SMOOTH[len(sides)])
    drawn = [white.view(pairs, half, *shape), smooth.view(pairs, half, *shape)]
    ahead = (subject.target - images)[:, None]
    return _unit(torch.cat([*drawn, ahead.to(white)], 1)).to(images)


def _inside(subject: Subject, images: Tensor, radius: Tensor) -> Tensor:
    """Images (P, K, C, H, W) moved radially into the balls around the sources, and into the data's bounds."""
    d = images - subject.source[:, None]
    d = d * (radius / _length(d).clamp(min=1e-12)).clamp(max=1)
    return (subject.source[:, None] + d).clamp(*subject.bounds)


def _unit(v: Tensor) -> Tensor:
    return v / _length(v).clamp(min=1e-12)


def _length(v: Tensor) -> Tensor:
    """The length of each image (P, K, …), with as many axes."""
    return with_axes_of(v.flatten(2).norm(dim=2), v)
