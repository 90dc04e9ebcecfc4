"""Runs of the robustness benchmark, read from a folder: their records, and the strongest attacks on some of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from robust_measures import RADII as SHARES
from torch import Tensor

from seatbelt_vae.metrics import Interval, interval
from seatbelt_vae.storage import read_json

__all__ = ["SHARES", "Run", "Runs", "sides", "stacked", "way"]

WORDS = {
    "inner_steps": "steps",
    "mse": "MSE held at",
    "part": "part of the batch",
    "target": "",
}
HIDDEN = ("rate", "inner")
"""How a setting is called; others are called as they are."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        name: of its folder, which ends in -s and the seed.
        record: its `robust.json`.
        strong: the strongest attacks on it; empty where there were none.
        curve: measures on the way.
    """

    name: str
    record: dict[str, Any]
    strong: dict[str, Any] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, attacks: str = "strong") -> "Run":
        """Read it, and the attacks in the folder of that name beside it."""
        strong: dict[str, Any] = {}
        for path in sorted((folder.parent / attacks).glob(f"{folder.name}.*.json")):
            strong |= read_json(path)
        curve = []
        if (folder / "curve.json").exists():
            curve = read_json(folder / "curve.json")
        record: dict[str, Any] = {}
        if (folder / "robust.json").exists():
            record = read_json(folder / "robust.json")
        return cls(folder.name, record, strong, curve)

    @property
    def seed(self) -> int:
        return int(self.name.rsplit("-s", 1)[1])

    @property
    def data(self) -> str:
        return self.name.split("-", 1)[0]

    @property
    def kind(self) -> str:
        """Its name without the seed."""
        return self.name.rsplit("-s", 1)[0]

    @property
    def settings(self) -> dict[str, str]:
        """Of its method, as they were given."""
        return dict(setting.split("=") for setting in self.record.get("set", ()))

    @property
    def control(self) -> bool:
        """Whether the error is held without an adversary."""
        return self.record.get("method") == "held" and float(self.settings.get("radius", 0)) == 0

    @property
    def inner(self) -> str:
        """The method whose error is held, or the method itself."""
        if self.control:
            return "plain"
        if self.record["method"] == "held":
            return self.settings.get("inner", "adversarial")
        return str(self.record["method"])

    @property
    def label(self) -> str:
        """Model, method and settings in words."""
        if not self.record:
            return self.kind.split("-", 1)[1].replace("-", " ")
        words = []
        for key, value in self.settings.items():
            if key not in HIDDEN and not (self.control and key != "mse"):
                words.append(f"{WORDS.get(key, key)} {value}".strip())
        return ", ".join([f"{self.record['model']} {self.inner}", *words])

    @property
    def by_the_sweep(self) -> "Run":
        """The same without the strongest attacks."""
        return replace(self, strong={})

    def has(self, key: str) -> bool:
        return key in self.strong or key in self.record

    def each(self, key: str) -> Tensor:
        """A measure of each pair, or of the model (1,); the strongest attack's if there is one."""
        values = {**self.record, **self.strong}[key]
        return torch.atleast_1d(torch.tensor(values, dtype=torch.float64))

    def damage(self, attack: str) -> Tensor:
        """Damage by a kind of attack, (P, K)."""
        return self.each(f"damage_{attack}_each")


@dataclass(frozen=True)
class Runs:
    """All runs of a folder, by name."""

    runs: list[Run]

    @classmethod
    def read(cls, folder: Path, attacks: str = "strong") -> "Runs":
        """Read every run that is finished, or has measures on its way."""
        folders = {path.parent for path in [*folder.glob("*/robust.json"), *folder.glob("*/curve.json")]}
        return cls([Run.read(each, attacks) for each in sorted(folders)])

    def __iter__(self) -> Iterator[Run]:
        return (run for run in self.runs if run.record)

    @property
    def all(self) -> list[Run]:
        """Those that are under way too."""
        return self.runs

    @property
    def kinds(self) -> list[str]:
        """Data sets of which there is a plain model."""
        return sorted({run.data for run in self if run.kind == f"{run.data}-vae-plain"})

    def plain_of(self, run: Run) -> Run | None:
        """The plain VAE of the same data and seed; None where there is none."""
        for other in self:
            if other.kind in (f"{run.data}-vae-plain", f"{run.data}-burgess-plain") and other.seed == run.seed:
                return other
        return None

    def points(self, kind: str) -> dict[int, Run]:
        """The run of a kind at every step at which it was measured."""
        found = {}
        for run in self.runs:
            if run.kind == kind:
                found |= {point["step"]: Run(run.name, point) for point in run.curve}
                if run.record:
                    found[run.record["steps"]] = run
        return found

    def long(self) -> Iterator[tuple[str, tuple[list[Run], list[Run]]]]:
        """Data of the long trainings, and the plain and the robust model at the last step that both have."""
        for data in sorted({run.data for run in self.runs}):
            plain, robust = (self.points(f"{data}-burgess-{kind}") for kind in ("plain", "adversarial"))
            for step in sorted(plain.keys() & robust.keys())[-1:]:
                yield data, ([plain[step]], [robust[step]])

    def strong(self) -> Iterator[tuple[str, list[Run], list[Run]]]:
        """Data, plain models and robust models of the strongest attacks, by seed."""
        for data in sorted({run.data for run in self.runs}):
            chosen = [run for run in self.runs if run.data == data and "damage_all_each" in run.strong]
            plain = [run for run in chosen if run.kind.endswith("-plain")]
            robust = [run for run in chosen if not run.kind.endswith("-plain")]
            if plain and len(plain) == len(robust):
                yield data, plain, robust


def stacked(runs: list[Run], key: str, column: int | None = None) -> Tensor:
    """A measure of the pairs that all runs have, (S, P); of each of several radii one column."""
    values = [run.each(key) for run in runs]
    if column is not None:
        values = [value[:, column] for value in values]
    pairs = min(len(value) for value in values)
    return torch.stack([value[:pairs] for value in values])


def sides(plain: list[Run], robust: list[Run], key: str, column: int | None = None) -> tuple[Tensor, Tensor]:
    """The same of two kinds of models, over the pairs that all of them have, (S, P) each."""
    together = stacked([*plain, *robust], key, column)
    return together[: len(plain)], together[len(plain) :]


def way(plain: list[Run], robust: list[Run], mode: str) -> Interval:
    r"""The share of the way from the VAE's f50 to its blend's that robust training goes.

    The interval is that of a ratio of means to first order, over seeds and pairs:

    .. math:: R + (a_{sp} - R\, b_{sp}) / \bar b

    with a the gain of f50 and b the whole way of each seed and pair.
    """
    before, after = sides(plain, robust, f"f50_{mode}_each")
    pairs = before.shape[1]
    blend = stacked(plain, "f50_blend_each")[:, :pairs]
    gain = after - before
    whole = blend - before
    share = gain.mean() / whole.mean()
    return interval(share + (gain - share * whole) / whole.mean())
