"""Everything that decides an attack on a trained model: flat, as TOML and options are."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self

import torch
from pydantic import model_validator

from seatbelt_vae.attacks import BUDGETS, OBJECTIVES, PRESETS, SOLVERS, Ball, MinimumNorm, Penalty
from seatbelt_vae.attacks.attack import check_parts
from seatbelt_vae.attacks.solvers import default_solver
from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import Count, Seed, build, checked, near, plain, section, settings_of, shown

PARTS: dict[str, Mapping[str, type[Any]]] = {"objective": OBJECTIVES, "budget": BUDGETS, "solver": SOLVERS}
"""What an attack is put together from: each has a name, and the settings of the class of that name."""


class AttackSpec(section("AttackTable", {**OBJECTIVES, **BUDGETS, **SOLVERS})):  # type: ignore[misc]
    """Everything that decides an attack on a trained model, flat as TOML and options are.

    Attributes:
        objective: latent, output, or damage, which has no target and needs radii.
        budget: penalty; ball, which is meant wherever there are radii; minimum-norm, wherever there are levels.
        solver: continuation (of a penalty), cold (in a ball), shrinking (of smallest norms), scipy, adam, ddn or fmn.
        pairs: number of pairs of a source and a target; damage attacks the sources.
        pair_seed: of the draw of the pairs: the same seed gives models of the same data the same pairs.
        pair_kind: test draws from the test images, rotated-hearts turns hearts of the sprites.
        seed: of the attack and of the measuring.

    Example:
        >>> AttackSpec.of(objective="output", radii=(1.0, 2.0)).triple()[1]
        Ball(radii=(1.0, 2.0), norm='l2', restarts=1)
    """

    objective: str = "latent"
    budget: str | None = None
    solver: str | None = None
    pairs: Count = 10
    pair_seed: Seed = 0
    pair_kind: str = "test"
    seed: Seed = 0

    @classmethod
    def of(cls, preset: str | None = None, **settings: Any) -> Self:
        """Check settings.

        Args:
            preset: a name of `seatbelt_vae.attacks.PRESETS`, from which the rest comes. A part of it whose name is
                given anew loses its settings.
            settings: those that are given; None means not given.

        Raises:
            InputError: one is unknown, out of range, or means nothing to this attack.

        Example:
            >>> AttackSpec.of("kos", pairs=3).squared
            True
        """
        given = {name: value for name, value in settings.items() if value is not None}
        return checked(cls, {**_of_preset(preset, given), **given}, "attack")

    def triple(self) -> tuple[Any, Any, Any]:
        """The objective, the budget and the solver.

        Raises:
            InputError: a setting means nothing to them, or is out of range.
        """
        objective = self._part("objective", self.objective)
        budget = self._part("budget", self.budget or self._default_budget())
        solver = self._part("solver", self.solver or default_solver(budget).name)
        return objective, budget, solver

    @property
    def name(self) -> str:
        """The attack's name in its run, such as ``latent-w2-1a2b3c4d``: the same however the attack was asked for."""
        objective, budget, solver = self.triple()
        settings = _off_default(objective)
        identity = {
            "objective": settings,
            "budget": _off_default(budget),
            "solver": _off_default(solver),
            "pairs": [self.pairs, self.pair_seed, self.pair_kind],
            "seed": self.seed,
        }
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        words = [self.objective]
        if "divergence" in settings:
            words.append(objective.divergence)
        return "-".join([*words, digest[:8]])

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """The parts must go together, and every setting must mean something to one of them."""
        if self.pair_kind not in ("test", "rotated-hearts"):
            raise InputError(f"pair_kind: {shown(self.pair_kind)} is unknown, use test or rotated-hearts")
        check_parts(*self.triple())
        return self

    def _part(self, kind: str, name: str) -> Any:
        known = {setting for cls in PARTS[kind].values() for setting in settings_of(cls)}
        return build(PARTS[kind], name, self.model_dump(include=known), kind)

    def _default_budget(self) -> str:
        objective = OBJECTIVES.get(self.objective)
        if self.success is not None or self.discrepancy is not None:
            return MinimumNorm.name
        if self.radii is not None or (objective is not None and not objective.targeted):
            return Ball.name
        return Penalty.name


def _of_preset(name: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a preset, without those of parts that are chosen anew."""
    if name is None:
        return {}
    if not isinstance(name, str) or name not in PRESETS:
        hint = near(str(name), PRESETS)
        raise InputError(f"preset: {shown(name)} is unknown{hint}, use one of {', '.join(PRESETS)}")
    found: dict[str, Any] = {}
    for kind, part in PRESETS[name]._asdict().items():
        if given.get(kind) in (None, part.name):
            found |= {kind: part.name, **plain(part)}
    return found


def _off_default(part: Any) -> dict[str, Any]:
    """The name and the settings of a part that are not its defaults, in one form whatever they were given as."""
    values = {"name": part.name}
    for field in fields(part):
        value = getattr(part, field.name)
        if value != field.default:
            values[field.name] = value
    if "samples" in values and values["samples"] == type(part)(part.divergence).draws:
        del values["samples"]
    if isinstance(part, Ball) or "lambdas" in values:
        grid = part.grid().values
        values["grid"] = grid.tolist()
        values.pop("radii", None)
        values.pop("lambdas", None)
        if isinstance(part, Penalty) and torch.equal(grid, Penalty().grid().values):
            del values["grid"]
    return values
