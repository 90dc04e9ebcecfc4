"""What a recipe is: which runs, what is measured of each, what it shows, and what is claimed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from seatbelt_vae.reproduction.attacks import Attacks
from seatbelt_vae.reproduction.claims import Contrast
from seatbelt_vae.reproduction.points import Point

Kind = Literal["effects", "lines", "map", "noise", "panels", "pareto", "reconstructions", "traversals"]


@dataclass(frozen=True)
class Drawing:
    """A figure of a recipe.

    Attributes:
        kind: "lines" of a measure over β, "map" of it over β × L, "effects" on it by condition, "pareto" of it against
            the MSE, or pictures.
        measure: its key.
    """

    kind: Kind
    measure: str = ""


@dataclass(frozen=True)
class Recipe:
    """A figure or table of the paper, for one set of data at one scale.

    Attributes:
        name: what ``seatbelt reproduce`` calls it.
        title: its heading.
        expected: what the paper found.
        runtime: what it takes.
        runs: what is trained, and the attacks on each.
        evaluate: names of the measurements of each run.
        shown: measures that are the columns of its table.
        drawings: its figures.
        claims: what the paper claims.
        suits: whether it means something for the data.
        in_all: whether “all” means it too.
    """

    name: str
    title: str
    expected: str
    runtime: str
    runs: Mapping[Point, Attacks]
    evaluate: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    claims: tuple[Contrast, ...] = ()
    suits: bool = True
    in_all: bool = True

    @property
    def attacks(self) -> Attacks:
        """Every attack on any of its points."""
        return tuple(dict.fromkeys(attack for attacks in self.runs.values() for attack in attacks))
