"""How much distortion an attack may use: at a price for each unit of it, up to a limit, or as little as will do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from seatbelt_vae.attacks.part import Part, check_choice, check_count
from seatbelt_vae.errors import InputError

SYMBOLS = {"penalty": "λ", "ball": "ε", "success": "s", "discrepancy": "r"}


@dataclass(frozen=True, eq=False)
class Grid:
    """The values of a budget that an attack was made at.

    Attributes:
        values: λ, ε, or levels of success or of r, ascending, (K,).
        kind: ``penalty``, ``ball``, ``success`` or ``discrepancy``.
    """

    values: Tensor
    kind: str

    @property
    def symbol(self) -> str:
        """λ, ε, s or r."""
        return SYMBOLS[self.kind]

    def __len__(self) -> int:
        return len(self.values)


class Budget(Part):
    """What an attack may spend."""

    def grid(self) -> Grid:
        """Its values, in order."""
        raise NotImplementedError


@dataclass(frozen=True)
class Penalty(Budget):
    r"""A price of the distortion: minimise r(d) + λ‖d‖ for every λ.

    Args:
        lambdas: prices λ: "paper" for 0 and 50 powers of two from 2^-20 to 2^20, or numbers >= 0.
        squared: charge λ‖d‖², not λ‖d‖.

    Raises:
        InputError: an unknown name, no λ, one that is negative or not finite.

    Example:
        >>> Penalty([4.0, 0.0, 1.0]).grid().values
        tensor([0., 1., 4.])
    """

    name: ClassVar[str] = "penalty"
    lambdas: str | tuple[float, ...] = "paper"
    squared: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.lambdas, str):
            if self.lambdas != "paper":
                raise InputError(f"lambdas {self.lambdas!r}: must be 'paper' or numbers >= 0")
            return
        values = _numbers(self.lambdas)
        if not values or min(values) < 0:
            raise InputError(f"lambdas {self.lambdas!r}: must be one or more finite numbers, zero or more each")
        object.__setattr__(self, "lambdas", values)

    def grid(self) -> Grid:
        """λ, ascending."""
        if self.lambdas == "paper":
            return Grid(paper_lambdas(), self.name)
        return _grid(self.lambdas, self.name)

    def settings(self) -> dict[str, Any]:
        """Without λ, which the grid holds."""
        return {"name": self.name, "squared": self.squared}


@dataclass(frozen=True)
class Ball(Budget):
    r"""A limit of the distortion: minimise r(d) over ‖d‖ ≤ ε for every radius ε.

    Args:
        radii: limits ε > 0.
        norm: "l2" for the length of d, "linf" for its largest pixel.
        restarts: starting points for each pair and radius, the first next to the source, the others random.

    Raises:
        InputError: no radius, one that is not finite and above 0, an unknown norm, no starting point.

    Example:
        >>> Ball([2.0, 1.0]).grid().values
        tensor([1., 2.])
    """

    name: ClassVar[str] = "ball"
    radii: tuple[float, ...]
    norm: Literal["l2", "linf"] = "l2"
    restarts: int = 1

    def __post_init__(self) -> None:
        values = _numbers(self.radii)
        if not values or min(values) <= 0:
            raise InputError(f"radii {self.radii!r}: must be one or more finite numbers > 0")
        check_choice("norm", self.norm, ("l2", "linf"))
        check_count("restarts", self.restarts)
        object.__setattr__(self, "radii", values)

    def grid(self) -> Grid:
        """ε, ascending."""
        return _grid(self.radii, self.name)

    def settings(self) -> dict[str, Any]:
        """Without ε, which the grid holds."""
        return {"name": self.name, "norm": self.norm, "restarts": self.restarts}


@dataclass(frozen=True)
class MinimumNorm(Budget):
    r"""As little as will do: minimise ‖d‖ such that a level is reached.

    .. math:: \min_d \|d\|_2 \quad\text{such that}\quad s(d) \ge \text{success}

    with s of :func:`seatbelt_vae.metrics.attack_success`, how far the reconstruction is moved towards that of the
    target; or such that r(d) ≤ discrepancy. The distortion found is the answer. It is infinite, the status UNREACHED
    and the image the source, where no point reached the level: on pairs without a defined success, for example.

    Args:
        success: levels of success, above 0 and below 1: a half gives f50.
        discrepancy: levels of r, what the objective measures, in place of success.

    Raises:
        InputError: no level, one that is not finite, success outside (0, 1), both kinds of level.

    Example:
        >>> MinimumNorm(success=0.5).grid().values
        tensor([0.5000])
    """

    name: ClassVar[str] = "minimum-norm"
    success: float | tuple[float, ...] = 0.5
    discrepancy: float | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        success = _levels("success", self.success)
        object.__setattr__(self, "success", success)
        if success[0] <= 0 or success[-1] >= 1:
            raise InputError(f"success {list(success)}: must be above 0 and below 1")
        if self.discrepancy is None:
            return
        object.__setattr__(self, "discrepancy", _levels("discrepancy", self.discrepancy))
        if success != (0.5,):
            raise InputError("success and discrepancy: give one of them, the level is one or the other")

    @property
    def level(self) -> str:
        """What has to reach a level: ``success`` or ``discrepancy``."""
        if self.discrepancy is None:
            return "success"
        return "discrepancy"

    def grid(self) -> Grid:
        """Levels, ascending."""
        return _grid(getattr(self, self.level), self.level)

    def settings(self) -> dict[str, Any]:
        """Without the levels, which the grid holds."""
        return {"name": self.name, "level": self.level}


BUDGETS: dict[str, type[Budget]] = {"penalty": Penalty, "ball": Ball, "minimum-norm": MinimumNorm}
"""Budgets by name."""


def paper_lambdas(count: int = 50, lowest: float = -20.0, highest: float = 20.0) -> Tensor:
    r"""The paper's penalties: 0 and 2^c for c in equal steps; 51 values from 0 to 2^20.

    Example:
        >>> paper_lambdas().shape, paper_lambdas()[[0, 1, -1]]
        (torch.Size([51]), tensor([0.0000e+00, 9.5367e-07, 1.0486e+06]))
    """
    return torch.cat([torch.zeros(1), 2.0 ** torch.linspace(lowest, highest, count)])


def _numbers(values: Tensor | Sequence[float]) -> tuple[float, ...]:
    """Finite numbers as a tuple; empty where one of them is none."""
    try:
        numbers = torch.as_tensor(values, dtype=torch.float64).flatten()
    except (TypeError, ValueError, RuntimeError):
        return ()
    if not bool(torch.isfinite(numbers).all()):
        return ()
    return tuple(numbers.tolist())


def _levels(name: str, values: float | Sequence[float]) -> tuple[float, ...]:
    """Levels ascending, each once."""
    numbers = _numbers(values)  # type: ignore[arg-type]
    if not numbers:
        raise InputError(f"{name} {values!r}: must be one or more finite numbers")
    return tuple(sorted(set(numbers)))


def _grid(values: Any, kind: str) -> Grid:
    numbers = torch.as_tensor(values, dtype=torch.get_default_dtype())
    return Grid(numbers.unique(sorted=True), kind)
