"""Activations with smoothed kinks: nearly the same minima, without the creases that line searches end in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from seatbelt_vae.attacks.protocol import parts
from seatbelt_vae.optim.problem import Objective

STEEP = 1e20
"""1/w of a kink: 0 stays 0 and all above it has slope 1, as in ReLU."""


@dataclass(frozen=True)
class Kink:
    r"""A call of ReLU, or of leaky ReLU.

    Attributes:
        z: what it is given, (B, …), or (B·S, …) with S rows for every width.
        leak: the slope a below 0.
        inplace: whether z is overwritten.
    """

    z: Tensor
    leak: float = 0.0
    inplace: bool = False

    def smoothed(self, width: Tensor, keep_values: bool = False) -> Tensor:
        r"""The activation with a parabola over [−w, w] in the place of its kink, w given for each row; itself at w = 0.

        .. math:: \rho_w(z) = w h^2 + \max(z - w, 0), \quad h = \min(\max((z + w) / 2w, 0), 1) = \rho_w'(z)

        and a z + (1 − a) ρ_w(z) where it leaks by a. `keep_values` gives the activation itself, with
        the slope of these.

        Example:
            >>> z = torch.tensor([[-0.5, 0.0, 2.0], [-0.5, 0.0, 2.0]])
            >>> Kink(z).smoothed(torch.tensor([0.0, 1.0]))
            tensor([[0.0000, 0.0000, 2.0000],
                    [0.0625, 0.2500, 2.0000]])
        """
        z = self.z
        width = width.repeat_interleave(len(z) // len(width))
        width = width.view(-1, *[1] * (z.dim() - 1)).to(z.dtype)
        kind = _Slope if keep_values else _Parabola
        smoothed: Tensor = kind.apply(z, width)
        if self.leak:
            smoothed = torch.lerp(smoothed, z, self.leak)
        if self.inplace:
            return z.copy_(smoothed)
        return smoothed


class _Parabola(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, width: Tensor) -> Tensor:
        slope = _slope(z, width)
        ctx.save_for_backward(slope)
        return (z - width).clamp_min_(0).add_(slope.square().mul_(width))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


class _Slope(_Parabola):
    """ReLU with the slope of the parabola: no derivative of it, but what it does a little further away."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(_slope(z, width))
        return z.clamp_min(0)


def _slope(z: Tensor, width: Tensor) -> Tensor:
    steepness = torch.where(width > 0, 0.5 / width, STEEP)
    return ((z + width) * steepness).clamp_(0, 1)


def _relu(input: Tensor, inplace: bool = False) -> Kink | None:
    return Kink(input, inplace=inplace)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Kink | None:
    return Kink(input, negative_slope, inplace)


def _clamp(input: Tensor, min: Any = None, max: Any = None, **others: Any) -> Kink | None:
    below_0_alone = isinstance(min, int | float) and min == 0 and max is None
    if others or not below_0_alone or not input.is_floating_point():
        return None
    return Kink(input)


READ: dict[Callable[..., Any], Callable[..., Kink | None]] = {
    F.relu: _relu,
    torch.relu: _relu,
    Tensor.relu: _relu,
    F.leaky_relu: _leaky_relu,
    torch.clamp: _clamp,
    Tensor.clamp: _clamp,
    torch.clamp_min: _clamp,
    Tensor.clamp_min: _clamp,
}
"""The functions that have kinks, and how their arguments are read. Modules call them, too."""

Answer = Callable[[int, Kink], Tensor | None]
"""``answer(number, kink)``: what a call returns, by its number; None for what it returns otherwise."""


class Kinks(TorchFunctionMode):
    """While it is entered, calls with a kink return what `answer` says.

    Calls inside of traced, scripted or compiled code are not seen.

    Args:
        answer: is asked at every call.

    Example:
        >>> with Kinks(lambda number, kink: kink.z + number):
        ...     torch.nn.ReLU()(torch.ones(1)), torch.ones(1).relu(), torch.ones(1).clamp(max=0)
        (tensor([1.]), tensor([2.]), tensor([0.]))
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call `func`, or answer in its place."""
        kwargs = kwargs or {}
        read = READ.get(func)
        kink = None
        if read is not None:
            kink = read(*args, **kwargs)
        if kink is not None:
            number = self.calls
            self.calls += 1
            out = self.answer(number, kink)
            if out is not None:
                return out
        return func(*args, **kwargs)


@dataclass(frozen=True)
class SmoothedObjective:
    """An objective with smoothed kinks: ``smoothed(d, pairs, width) -> values``.

    Attributes:
        objective: ``objective(d, pairs)``, of the model as it is.
        scales: of the calls that are smoothed, by their number: root mean square of what each is given at d = 0, (P,),
            the unit of its widths.
        keep_values: only the gradient is that of smoothed kinks, the values are the objective's own.
    """

    objective: Objective
    scales: Mapping[int, Tensor]
    keep_values: bool = False

    def __call__(self, d: Tensor, pairs: Tensor, width: Tensor) -> Tensor:
        """Values (B,) at d (B, n) of the pairs (B,), with kinks of width (B,); the objective's own at 0."""
        if width.device.type == "cpu" and not width.any():
            return self.objective(d, pairs)

        def answer(number: int, kink: Kink) -> Tensor | None:
            if number not in self.scales:
                return None
            return kink.smoothed(width * self.scales[number][pairs], self.keep_values)

        with Kinks(answer):
            return self.objective(d, pairs)


def smooth(objective: Objective, source: Tensor, samples: int) -> SmoothedObjective | None:
    """The objective with kinks that can be smoothed; None where it calls no function for that.

    Calls whose input does not have pairs first are left as they are, since a pair's answer must not depend on
    another's.

    Args:
        objective: r.
        source: images of all pairs, (P, C, H, W).
        samples: sets of random numbers a pair is evaluated with.
    """
    zero = torch.zeros_like(source).flatten(1)
    chosen = _row_by_row(objective, source[0].flatten(), zero[:1])
    if not chosen:
        return None
    scales: dict[int, list[Tensor]] = {number: [] for number in chosen}
    for pairs in parts(source, samples):
        calls = _inputs(objective, zero[pairs], pairs)
        for number, sizes in scales.items():
            squares = calls[number].square().reshape(len(pairs), -1)
            sizes.append(squares.mean(1).sqrt())
    return SmoothedObjective(objective, {number: torch.cat(sizes) for number, sizes in scales.items()})


def _row_by_row(objective: Objective, image: Tensor, zero: Tensor) -> list[int]:
    """The calls that are given for an image beside another what they are given for it alone."""
    plain = image.mean() - image
    first = torch.zeros(1, dtype=torch.long, device=image.device)
    alone = _inputs(objective, zero, first)
    beside = _inputs(objective, torch.cat((zero, plain[None])), first.expand(2))
    if len(alone) != len(beside):
        return []
    return [number for number in range(len(alone)) if _starts_with(beside[number], alone[number])]


def _starts_with(both: Tensor, z: Tensor) -> bool:
    """Whether the first half of a tensor is another."""
    if z.dim() == 0 or len(both) != 2 * len(z):
        return False
    return torch.allclose(z, both[: len(z)], rtol=1e-2, atol=1e-4)


def _inputs(objective: Objective, d: Tensor, pairs: Tensor) -> list[Tensor]:
    """What every call with a kink is given at d (B, n)."""
    inputs: list[Tensor] = []

    def note(number: int, kink: Kink) -> None:
        inputs.append(kink.z.clone())

    with torch.no_grad(), Kinks(note):
        objective(d, pairs)
    return inputs
