"""A spec from a flat list of settings, as the command line has them, over a TOML file or an earlier run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import ExperimentSpec

ELSEWHERE = {
    "data": ("data", "name"),
    "data_path": ("data", "path"),
    "data_seed": ("data", "seed"),
    "model": ("model", "name"),
    "objective": ("objective", "name"),
    "seed": ("training", "seed"),
}
"""Flags whose name is not that of their setting, or is that of several."""


def spec_from_flags(
    flags: Mapping[str, Any], *, spec: str | Path | None = None, run: str | Path | None = None
) -> ExperimentSpec:
    """Make a spec from settings that were given one by one.

    Args:
        flags: values by the flag's name, such as ``{"model": "vae", "steps": 100}``; None means not given.
        spec: TOML file from which the rest comes.
        run: folder of an earlier run from which the rest comes, if there is no file.

    Raises:
        InputError: the file or folder cannot be read, or a setting is unknown or out of range.

    Example:
        >>> spec_from_flags({"model": "vae", "latent_sizes": (8,), "seed": 3}).training.seed
        3
    """
    tables: dict[str, dict[str, Any]] = {}
    for flag, value in flags.items():
        if value is not None:
            table, setting = _place(flag)
            tables.setdefault(table, {})[setting] = value
    return _base(spec, run).changed(**tables)


def _base(spec: str | Path | None, run: str | Path | None) -> ExperimentSpec:
    from seatbelt_vae.experiments.store import RunFolder

    if spec is not None:
        return ExperimentSpec.read(spec)
    return ExperimentSpec() if run is None else RunFolder.open(run).spec


def _place(flag: str) -> tuple[str, str]:
    if flag in ELSEWHERE:
        return ELSEWHERE[flag]
    for table, section in ExperimentSpec().__dict__.items():
        if flag in type(section).model_fields:
            return table, flag
    raise InputError(f"{flag}: no such setting")
