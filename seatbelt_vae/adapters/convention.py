"""How somebody's encoder and decoder speak."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

from torch import Tensor

from seatbelt_vae.adapters.posteriors import POSTERIORS
from seatbelt_vae.adapters.units import Bounds
from seatbelt_vae.attacks.part import check_choice
from seatbelt_vae.errors import InputError

Order = Literal["bottom-first", "top-first"]
Shape = tuple[int | None, ...]

ANY = 64
"""A side that may be of any size is tried at this one."""


@dataclass(frozen=True, eq=False)
class Convention:
    """What :func:`~seatbelt_vae.adapters.wrap.wrap` was told, checked; see there.

    Raises:
        InputError: a shape that is none, an unknown word, a variance not above 0.
    """

    image_shape: Sequence[int | None]
    bounds: Bounds = (0.0, 1.0)
    decoded: Bounds | None = None
    posterior: str | None = None
    order: Order = "bottom-first"
    decoder_sees: str = "all"
    prior: Callable[..., Any] | None = None
    condition: Any = None
    variance: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_shape", _shape(self.image_shape))
        if isinstance(self.condition, Tensor):  # a copy of one with a history is refused
            object.__setattr__(self, "condition", self.condition.detach())
        if self.posterior is not None:
            check_choice("posterior", self.posterior, POSTERIORS)
        check_choice("order", self.order, ("bottom-first", "top-first"))
        check_choice("decoder_sees", self.decoder_sees, ("all", "bottom"))
        if not 0 < self.variance < float("inf"):
            raise InputError(f"variance {self.variance!r}: must be a finite number > 0")

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether images of a shape (C, …) are those of the model.

        Example:
            >>> Convention((3, None, None)).fits((3, 48, 80)), Convention((3, None, None)).fits((1, 48, 80))
            (True, False)
        """
        same = [wanted in (None, side) for wanted, side in zip(self.image_shape, shape, strict=False)]
        return len(shape) == len(self.image_shape) and all(same)

    def trial_shape(self) -> tuple[int, ...]:
        """A shape that fits."""
        return tuple(side or ANY for side in self.image_shape)


def _shape(shape: Any) -> Shape:
    """The sides as a tuple."""
    if not isinstance(shape, Sequence) or not shape or not all(map(_is_side, shape)) or shape[0] is None:
        raise InputError(
            f"image_shape {shape!r}: must be positive whole numbers, such as (3, 64, 64); None for a side of any size"
        )
    return tuple(None if side is None else int(side) for side in shape)


def _is_side(side: Any) -> bool:
    return side is None or (isinstance(side, Integral) and int(side) > 0)
