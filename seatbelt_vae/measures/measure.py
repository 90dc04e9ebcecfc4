"""What a measure is: key, title, unit, direction, range, definition, and how it is computed from an attack."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.measures.attacked import Attacked

Kind = Literal["run", "pair", "curve"]
Better = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Measure:
    """One number that is shown, and how it is read.

    Args:
        key: its name in files.
        title: its heading.
        definition: one or two sentences for readers.
        unit: nats and so on; empty for a pure number.
        better: which way is better, or more robust; empty where neither is.
        kind: whether there is one a run, one a pair, or one a pair and budget.
        ratio: averaged geometrically, and compared by its ratio.
        possible: least and largest mean that there can be.
        comparable: whether models with other latent spaces may be compared by it.
        listed: whether tables show it.
        of: computes it from an attack, (P,) or (P, K), NaN where it is not defined; None for a measure of a run.
        targeted: whether the attack must have a target; None where that plays no part.
        per: what a list of numbers is of, such as ``"layer"``; empty for a single number.
        whole: whether it counts something.
    """

    key: str
    title: str
    definition: str
    unit: str = ""
    better: Better = ""
    kind: Kind = "run"
    ratio: bool = False
    possible: tuple[float, float] = (-math.inf, math.inf)
    comparable: bool = True
    listed: bool = True
    of: Callable[[Attacked], Tensor] | None = None
    targeted: bool | None = None
    per: str = ""
    whole: bool = False

    def applies(self, result: AttackResult) -> bool:
        """Whether an attack has this measure."""
        return self.of is not None and self.targeted in (None, result.targeted)
