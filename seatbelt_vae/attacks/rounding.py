"""Activations with their kinks rounded off: nearly the same minima, without the creases that lines of search end in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.evaluation import as_built
from seatbelt_vae.attacks.memory import parts
from seatbelt_vae.optim.problem import Objective


class RoundedReLU(nn.Module):
    r"""ReLU, or leaky ReLU, with a parabola over [−w, w] in the place of its kink; the activation itself at w = 0.

    .. math:: \rho_w(z) = w h^2 + \max(z - w, 0), \quad h = \min(\max((z + w) / 2w, 0), 1) = \rho_w'(z)

    and a z + (1 − a) ρ_w(z) where it leaks by a.

    Args:
        activation: what it stands for.

    Example:
        >>> layer = RoundedReLU(nn.ReLU())
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
        """Half the breadth of the parabola for each row of a batch; None for the activation itself."""
        self.watch: Callable[[Tensor], None] | None = None
        """Told every input, where somebody wants to see them."""

    def forward(self, z: Tensor) -> Tensor:
        """The activation of z (B, …), or of (B·S, …) with S rows for every width."""
        if self.watch is not None:
            self.watch(z.detach())
        if self.width is None:
            out: Tensor = self.activation(z)
            return out
        width = self.width.repeat_interleave(len(z) // len(self.width)).view(-1, *[1] * (z.dim() - 1)).to(z.dtype)
        rounded: Tensor = _Round.apply(z, width)
        if self.leak:
            rounded = torch.lerp(rounded, z, self.leak)
        return z.copy_(rounded) if self.activation.inplace else rounded


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, width: Tensor) -> Tensor:
        slope = ((z + width) * torch.where(width > 0, 0.5 / width, STEEP)).clamp_(0, 1)
        ctx.save_for_backward(slope)
        return (z - width).clamp_min_(0).add_(slope.square().mul_(width))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


STEEP = 1e20
"""1/w of a kink: 0 stays 0 and all above it has slope 1, as in ReLU."""


@dataclass(frozen=True)
class Rounded:
    """An objective of a model whose activations are `RoundedReLU`: ``rounded(d, pairs, width) -> values``.

    Attributes:
        objective: ``objective(d, pairs)``, of the model as it is.
        activations: of the model.
        scales: root mean square of what each activation is given at d = 0, (P,) each: the unit of its widths.
    """

    objective: Objective
    activations: Sequence[RoundedReLU]
    scales: Sequence[Tensor]

    def __call__(self, d: Tensor, pairs: Tensor, width: Tensor) -> Tensor:
        """Values (B,) at d (B, n) of the pairs (B,), with kinks rounded by width (B,); the objective's own at 0."""
        if width.device.type == "cpu" and not width.any():
            return self.objective(d, pairs)
        try:
            for activation, scale in zip(self.activations, self.scales, strict=True):
                activation.width = width * scale[pairs]
            return self.objective(d, pairs)
        finally:
            for activation in self.activations:
                activation.width = None


def activations_to_round(model: Any) -> list[RoundedReLU]:
    """Put a `RoundedReLU` in the place of every plain ReLU and leaky ReLU that is a module of the model, in place.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Sigmoid())
        >>> len(activations_to_round(model)), type(model[1]).__name__
        (1, 'RoundedReLU')
    """
    if not isinstance(model, nn.Module):
        return []
    known: dict[nn.Module, RoundedReLU] = {}
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):  # named_children would leave out a second use
            if isinstance(child, nn.ReLU | nn.LeakyReLU) and as_built(child):
                setattr(parent, name, known.setdefault(child, RoundedReLU(child)))
    return list(known.values())


def rounded(objective: Objective, activations: Sequence[RoundedReLU], source: Tensor, samples: int) -> Rounded | None:
    """The objective with kinks that can be rounded off; None where the model has no activation for that.

    Left as they are: activations that are not called, and those whose input does not have pairs first, since a pair's
    answer must not depend on another's.

    Args:
        objective: r, of a model that has these activations.
        activations: see `activations_to_round`.
        source: images of all pairs, (P, C, H, W).
        samples: sets of random numbers a pair is evaluated with.
    """
    pairs, d = torch.arange(len(source), device=source.device), torch.zeros_like(source).flatten(1)
    other = source[:1].flatten(1).mean() - source[:1].flatten(1)  # leads to a plain image
    alone = _inputs(objective, activations, d[:1], pairs[:1])
    beside = _inputs(objective, activations, torch.cat((d[:1], other)), pairs[:1].expand(2))
    chosen = [each for each, *calls in zip(activations, alone, beside, strict=True) if _row_by_row(*calls)]
    if not chosen:
        return None
    scales = [_sizes(objective, chosen, d[part], part) for part in parts(source, samples)]
    return Rounded(objective, chosen, [torch.cat(scale) for scale in zip(*scales, strict=True)])


def _row_by_row(alone: Sequence[Tensor], beside: Sequence[Tensor]) -> bool:
    """Whether the first half of what is computed for two rows is what is computed for the first alone."""
    lengths = [len(z) for z in beside] == [2 * len(z) for z in alone]
    return bool(alone) and lengths and all(
        torch.allclose(z, both[: len(z)], rtol=1e-2, atol=1e-4) for z, both in zip(alone, beside, strict=True)
    )  # fmt: skip


def _sizes(objective: Objective, activations: Sequence[RoundedReLU], d: Tensor, pairs: Tensor) -> list[Tensor]:
    """Root mean square of what every activation is given, over all calls, of each row."""
    calls = _inputs(objective, activations, d, pairs, lambda z: z.square().reshape(len(pairs), -1).mean(1))
    return [torch.stack(squares).mean(0).sqrt() for squares in calls]


def _inputs(
    objective: Objective,
    activations: Sequence[RoundedReLU],
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
