"""What a sweep is: the runs that a TOML file with lists expands to, and what is to be done to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.evaluation import is_evaluated
from seatbelt_vae.experiments.grid import expand
from seatbelt_vae.experiments.spec import ExperimentSpec, Section, checked
from seatbelt_vae.experiments.toml import parse_toml, read_text
from seatbelt_vae.experiments.work import EvaluationSpec


class SweepTables(Section):
    """The tables of a sweep's file, their contents unchecked.

    Attributes:
        data: as in `ExperimentSpec`; a setting with a list becomes a grid. So with the next three.
        model: see there.
        objective: see there.
        training: see there.
        runs: tables of such tables, each laid over those above and expanded by itself.
        evaluate: measure each run; see `EvaluationSpec`.
        attack: attack each run; one table or several, with lists for several attacks; see `AttackSpec`.
    """

    data: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)
    objective: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    runs: tuple[dict[str, Any], ...] = ({},)
    evaluate: dict[str, Any] | None = None
    attack: dict[str, Any] | tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class SweepSpec:
    """Runs, and what is to be done to each of them.

    Attributes:
        runs: all different, in the order of the file, the last list fastest.
        evaluate: how to measure each; None not at all.
        attacks: the attacks to make on each.

    Example:
        >>> spec = SweepSpec.from_toml('''
        ... [objective]
        ... beta = [1, 4]
        ... [training]
        ... seed = [0, 1]
        ... [attack]
        ... mode = ["latent", "output"]
        ... ''')
        >>> [(run.objective.beta, run.training.seed) for run in spec.runs], len(spec.attacks)
        ([(1.0, 0), (1.0, 1), (4.0, 0), (4.0, 1)], 2)
    """

    runs: tuple[ExperimentSpec, ...]
    evaluate: EvaluationSpec | None = None
    attacks: tuple[AttackSpec, ...] = ()

    @classmethod
    def from_toml(cls, text: str, source: str = "sweep") -> Self:
        """Read a sweep from TOML.

        Raises:
            InputError: it is not TOML, or a setting is wrong.
        """
        found = checked(SweepTables, parse_toml(text, source), source)
        base = found.model_dump(include=set(ExperimentSpec.model_fields), exclude_unset=True)
        grids = [grid for over in found.runs for grid in expand(ExperimentSpec, _laid_over(base, over))]
        runs = {run.digest: run for run in (ExperimentSpec.of(tables, source) for tables in grids)}
        if not runs:
            raise InputError(f"{source}: runs is empty, leave it out for one grid")
        attacks = _attacks(found.attack, f"{source}: attack")
        return cls(tuple(runs.values()), _evaluation(found.evaluate, f"{source}: evaluate"), tuple(attacks.values()))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a sweep from a TOML file.

        Raises:
            InputError: the file is missing, is not TOML, or a setting is wrong.
        """
        return cls.from_toml(read_text(path), str(path))


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    tables = {**base, **over}
    return {
        name: {**base.get(name, {}), **table} if isinstance(table, Mapping) else table for name, table in tables.items()
    }


def _evaluation(table: dict[str, Any] | None, source: str) -> EvaluationSpec | None:
    if table is None:
        return None
    spec = checked(EvaluationSpec, table, source)
    try:
        is_evaluated({}, **spec.model_dump())
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return spec


def _attacks(tables: dict[str, Any] | tuple[dict[str, Any], ...], source: str) -> dict[str, AttackSpec]:
    attacks = {}
    for table in (tables,) if isinstance(tables, dict) else tables:
        settings = {name: value for name, value in table.items() if name != "preset"}
        presets = table.get("preset")
        for preset in presets if isinstance(presets, list) else [presets]:
            for each in expand(AttackSpec, settings):
                try:
                    attack = AttackSpec.of(preset, **each)
                except InputError as error:
                    raise InputError(f"{source}: {str(error).removeprefix('attack: ')}") from error
                attacks[attack.name] = attack
    return attacks
