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
        whole: whether it counts something.
        of_objective: whether it is in the unit of what the attack minimised.
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
    whole: bool = False
    of_objective: bool = False

    def applies(self, result: AttackResult) -> bool:
        """Whether an attack has this measure."""
        return self.of is not None and self.targeted in (None, result.targeted)

    def unit_in(self, result: AttackResult) -> str:
        """Its unit in an attack."""
        if self.of_objective:
            return objective_unit(result)
        return self.unit

    def comparable_in(self, result: AttackResult) -> bool:
        """Whether an attack compares models by it; what an output attack minimises is the same for all of them."""
        if self.of_objective:
            return str(result.settings["objective"]["name"]) == "output"
        return self.comparable


def objective_unit(result: AttackResult) -> str:
    """The unit of Δ: nats, or that of the latent space or of the data for distances there.

    The penalty λ‖d‖ takes the unit of what it is added to.
    """
    objective = result.settings["objective"]
    divergence = str(objective["divergence"])
    if divergence == "elbo" or divergence.endswith("kl"):
        return "nats"
    if objective["name"] == "output" or divergence == "reconstruction":
        return "data units"
    return "latent units"
