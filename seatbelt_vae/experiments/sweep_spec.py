"""What a sweep is: the runs that a TOML file with lists expands to, and what is to be done to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.evaluation import EvaluationSettings, is_evaluated
from seatbelt_vae.experiments.grid import expand
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.toml import read_toml
from seatbelt_vae.settings import Section, checked, table

EvaluationTable = table("EvaluationTable", EvaluationSettings)


class SweepTables(Section):
    """The tables of a sweep's file, their contents unchecked.

    Attributes:
        data: as in `ExperimentSpec`; a setting with a list becomes a grid. So with the next four.
        model: see there.
        objective: see there.
        robust: see there.
        training: see there.
        runs: tables of such tables, each laid over those above and expanded by itself.
        evaluate: measure each run; see `EvaluationSettings`.
        attack: attack each run; one table or several, with lists for several attacks; see `AttackSpec`.
    """

    data: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)
    objective: dict[str, Any] = Field(default_factory=dict)
    robust: dict[str, Any] = Field(default_factory=dict)
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
        >>> tables = {"objective": {"beta": [1, 4]}, "training": {"seed": [0, 1]}}
        >>> spec = SweepSpec.of({**tables, "attack": {"objective": ["latent", "output"]}})
        >>> [(run.objective.beta, run.training.seed) for run in spec.runs], len(spec.attacks)
        ([(1.0, 0), (1.0, 1), (4.0, 0), (4.0, 1)], 2)
    """

    runs: tuple[ExperimentSpec, ...]
    evaluate: EvaluationSettings | None = None
    attacks: tuple[AttackSpec, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a sweep from a TOML file.

        Raises:
            InputError: the file is missing, is not TOML, or a setting is wrong.
        """
        return cls.of(read_toml(path), str(path))

    @classmethod
    def of(cls, tables: Mapping[str, Any], source: str = "sweep") -> Self:
        """Check the tables of a sweep.

        Args:
            tables: see `SweepTables`.
            source: where they come from, put before the message if they are wrong.

        Raises:
            InputError: a setting is wrong.
        """
        found = checked(SweepTables, tables, source)
        base = found.model_dump(include=set(ExperimentSpec.model_fields), exclude_unset=True)
        runs = {}
        for over in found.runs:
            for settings in expand(ExperimentSpec, _laid_over(base, over)):
                run = ExperimentSpec.of(settings, source)
                runs[run.digest] = run
        if not runs:
            raise InputError(f"{source}: runs is empty, leave it out for one grid")
        attacks = found.attack
        if isinstance(attacks, dict):
            attacks = (attacks,)
        return cls(
            tuple(runs.values()),
            _evaluation(found.evaluate, f"{source}: evaluate"),
            _attacks(attacks, f"{source}: attack"),
        )


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    tables = dict(base)
    for name, settings in over.items():
        if isinstance(settings, Mapping):
            settings = {**base.get(name, {}), **settings}
        tables[name] = settings
    return tables


def _evaluation(settings: dict[str, Any] | None, source: str) -> EvaluationSettings | None:
    if settings is None:
        return None
    found = EvaluationSettings(**checked(EvaluationTable, settings, source).model_dump())
    try:
        is_evaluated({}, found)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return found


def _attacks(tables: tuple[dict[str, Any], ...], source: str) -> tuple[AttackSpec, ...]:
    attacks = {}
    for given in tables:
        settings = dict(given)
        presets = settings.pop("preset", None)
        if not isinstance(presets, list):
            presets = [presets]
        for preset in presets:
            for each in expand(AttackSpec, settings):
                try:
                    attack = AttackSpec.of(preset, **each)
                except InputError as error:
                    raise InputError(f"{source}: {str(error).removeprefix('attack: ')}") from error
                attacks[attack.name] = attack
    return tuple(attacks.values())
