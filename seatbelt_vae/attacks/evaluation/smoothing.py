"""Activations with smoothed kinks: nearly the same minima, without the creases that line searches end in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.evaluation.copies import as_built
from seatbelt_vae.attacks.protocol import parts
from seatbelt_vae.optim.problem import Objective

STEEP = 1e20
"""1/w of a kink: 0 stays 0 and all above it has slope 1, as in ReLU."""


class SmoothedReLU(nn.Module):
    r"""ReLU, or leaky ReLU, with a parabola over [−w, w] in the place of its kink; the activation itself at w = 0.

    .. math:: \rho_w(z) = w h^2 + \max(z - w, 0), \quad h = \min(\max((z + w) / 2w, 0), 1) = \rho_w'(z)

    and a z + (1 − a) ρ_w(z) where it leaks by a.

    Args:
        activation: what it stands for.

    Attributes:
        width: half the breadth of the parabola for each row of a batch; None for the activation itself.
        watch: told every input, where somebody wants to see them.

    Example:
        >>> layer = SmoothedReLU(nn.ReLU())
        >>> layer.width = torch.tensor([0.0, 1.0])
        >>> layer(torch.tensor([[-0.5, 0.0, 2.0], [-0.5, 0.0, 2.0]]))
        tensor([[0.0000, 0.0000, 2.0000],
                [0.0625, 0.2500, 2.0000]])
    """

    def __init__(self, activation: nn.ReLU | nn.LeakyReLU) -> None:
        super().__init__()
        self.activation = activation
        self.leak = getattr(activation, "negative_slope", 0.0)
        self.width: Tensor | None = None
        self.watch: Callable[[Tensor], None] | None = None

    def forward(self, z: Tensor) -> Tensor:
        """The activation of z (B, …), or of (B·S, …) with S rows for every width."""
        if self.watch is not None:
            self.watch(z.detach())
        if self.width is None:
            out: Tensor = self.activation(z)
            return out
        width = self.width.repeat_interleave(len(z) // len(self.width))
        width = width.view(-1, *[1] * (z.dim() - 1)).to(z.dtype)
        smoothed: Tensor = _Parabola.apply(z, width)
        if self.leak:
            smoothed = torch.lerp(smoothed, z, self.leak)
        if self.activation.inplace:
            return z.copy_(smoothed)
        return smoothed


class _Parabola(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, width: Tensor) -> Tensor:
        steepness = torch.where(width > 0, 0.5 / width, STEEP)
        slope = ((z + width) * steepness).clamp_(0, 1)
        ctx.save_for_backward(slope)
        return (z - width).clamp_min_(0).add_(slope.square().mul_(width))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


@dataclass(frozen=True)
class SmoothedObjective:
    """An objective of a model whose activations are `SmoothedReLU`: ``smoothed(d, pairs, width) -> values``.

    Attributes:
        objective: ``objective(d, pairs)``, of the model as it is.
        activations: of the model.
        scales: root mean square of what each activation is given at d = 0, (P,) each: the unit of its widths.
    """

    objective: Objective
    activations: Sequence[SmoothedReLU]
    scales: Sequence[Tensor]

    def __call__(self, d: Tensor, pairs: Tensor, width: Tensor) -> Tensor:
        """Values (B,) at d (B, n) of the pairs (B,), with kinks of width (B,); the objective's own at 0."""
        if width.device.type == "cpu" and not width.any():
            return self.objective(d, pairs)
        try:
            for activation, scale in zip(self.activations, self.scales, strict=True):
                activation.width = width * scale[pairs]
            return self.objective(d, pairs)
        finally:
            for activation in self.activations:
                activation.width = None


def replace_activations(model: Any) -> list[SmoothedReLU]:
    """Put a `SmoothedReLU` in the place of every plain ReLU and leaky ReLU that is a module of the model, in place.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Sigmoid())
        >>> len(replace_activations(model)), type(model[1]).__name__
        (1, 'SmoothedReLU')
    """
    known: dict[nn.Module, SmoothedReLU] = {}
    if not isinstance(model, nn.Module):
        return []
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):  # named_children would leave out a second use
            if isinstance(child, nn.ReLU | nn.LeakyReLU) and as_built(child):
                setattr(parent, name, known.setdefault(child, SmoothedReLU(child)))
    return list(known.values())


def smooth(
    objective: Objective,
    activations: Sequence[SmoothedReLU],
    source: Tensor,
    samples: int,
) -> SmoothedObjective | None:
    """The objective with kinks that can be smoothed; None where the model has no activation for that.

    Left as they are: activations that are not called, and those whose input does not have pairs first, since a pair's
    answer must not depend on another's.

    Args:
        objective: r, of a model that has these activations.
        activations: see `replace_activations`.
        source: images of all pairs, (P, C, H, W).
        samples: sets of random numbers a pair is evaluated with.
    """
    chosen = _row_by_row(objective, activations, source[:1])
    if not chosen:
        return None
    zero = torch.zeros_like(source).flatten(1)
    sizes = [_sizes(objective, chosen, zero[pairs], pairs) for pairs in parts(source, samples)]
    scales = [torch.cat(scale) for scale in zip(*sizes, strict=True)]
    return SmoothedObjective(objective, chosen, scales)


def _row_by_row(
    objective: Objective,
    activations: Sequence[SmoothedReLU],
    image: Tensor,
) -> list[SmoothedReLU]:
    """The activations that are given for an image beside another what they are given for it alone."""
    zero = torch.zeros_like(image).flatten(1)
    plain = image.flatten(1).mean() - image.flatten(1)
    first = torch.zeros(1, dtype=torch.long, device=image.device)
    alone = _inputs(objective, activations, zero, first)
    beside = _inputs(objective, activations, torch.cat((zero, plain)), first.expand(2))
    chosen = []
    for activation, one, two in zip(activations, alone, beside, strict=True):
        if one and _starts_with(two, one):
            chosen.append(activation)
    return chosen


def _starts_with(beside: Sequence[Tensor], alone: Sequence[Tensor]) -> bool:
    """Whether the first halves of some tensors are others."""
    if [len(z) for z in beside] != [2 * len(z) for z in alone]:
        return False
    halves = zip(alone, beside, strict=True)
    return all(torch.allclose(z, both[: len(z)], rtol=1e-2, atol=1e-4) for z, both in halves)


def _sizes(objective: Objective, activations: Sequence[SmoothedReLU], d: Tensor, pairs: Tensor) -> list[Tensor]:
    """Root mean square of what every activation is given, over all calls, of each row."""

    def mean_square(z: Tensor) -> Tensor:
        return z.square().reshape(len(pairs), -1).mean(1)

    calls = _inputs(objective, activations, d, pairs, mean_square)
    return [torch.stack(squares).mean(0).sqrt() for squares in calls]


def _inputs(
    objective: Objective,
    activations: Sequence[SmoothedReLU],
    d: Tensor,
    pairs: Tensor,
    keep: Callable[[Tensor], Tensor] = Tensor.clone,
) -> list[list[Tensor]]:
    """What every activation is given at d, or what is to be kept of it, call by call."""
    inputs: list[list[Tensor]] = [[] for _ in activations]
    for activation, calls in zip(activations, inputs, strict=True):
        activation.watch = lambda z, calls=calls: calls.append(keep(z))
    try:
        with torch.no_grad():
            objective(d, pairs)
    finally:
        for activation in activations:
            activation.watch = None
    return inputs
