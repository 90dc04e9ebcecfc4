"""The parts of an attack: an objective, a budget and a solver, each a frozen dataclass of its own settings."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor

from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Objective
from seatbelt_vae.settings import plain

START = 1e-8
"""How far from the source, a pixel at most, an attack begins: nearly there."""


@dataclass(frozen=True)
class Part:
    """Something with a name and settings.

    Attributes:
        name: what it is called in files and on the command line.
    """

    name: ClassVar[str]

    def settings(self) -> dict[str, Any]:
        """The name and the settings, as JSON values."""
        return {"name": self.name, **plain(self)}


class AttackObjective(Part):
    """What an attack minimises: a new kind is a file with a subclass, and a line in `OBJECTIVES`.

    Attributes:
        targeted: it needs target images.
        reach: how far from the source, a pixel at most, its attacks begin.
    """

    targeted: ClassVar[bool] = True
    reach: ClassVar[float] = START

    @property
    def draws(self) -> int:
        """Sets of random numbers that it follows for each pair."""
        return 0

    def resolved(self, depth: int, decoder_sees: str) -> Self:
        """The same with every None replaced by what it stands for, on a model of `depth` layers."""
        return self

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> Objective:
        """The function that is minimised: ``(d (B, n), pairs (B,)) -> values (B,)``.

        Args:
            model: what is attacked.
            source: x, (P, C, H, W).
            target: x_t, likewise; x where the objective has no target.
            noise: the random numbers that are followed, `draws` sets for each pair.
        """
        raise NotImplementedError


def check_count(name: str, count: int | None, least: int = 1) -> None:
    """Refuse what is no whole number from `least` on; None is none.

    Raises:
        InputError: it is not.
    """
    if count is None:
        return
    if not isinstance(count, int) or count < least:
        raise InputError(f"{name} {count!r}: must be a whole number, {least} or more")


def check_choice(name: str, choice: object, choices: tuple[str, ...]) -> None:
    """Refuse what is not among the choices.

    Raises:
        InputError: it is not.
    """
    if choice not in choices:
        raise InputError(f"{name} {choice!r}: must be one of {', '.join(choices)}")
