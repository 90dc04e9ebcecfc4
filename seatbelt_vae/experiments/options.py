"""A spec from a flat list of settings, as the command line has them, over a TOML file or an earlier run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.store import RunFolder

ELSEWHERE = {
    "data": ("data", "name"),
    "data_path": ("data", "path"),
    "data_seed": ("data", "seed"),
    "model": ("model", "name"),
    "objective": ("objective", "name"),
    "robust": ("robust", "method"),
    "robust_gamma": ("robust", "gamma"),
    "seed": ("training", "seed"),
}
"""Options whose name is not that of their setting, or is that of several."""


def spec_from_options(
    options: Mapping[str, Any],
    *,
    spec: str | Path | None = None,
    run: str | Path | None = None,
) -> ExperimentSpec:
    """Make a spec from settings that were given one by one.

    Args:
        options: values by the option's name, such as ``{"model": "vae", "steps": 100}``; None means not given.
        spec: TOML file from which the rest comes.
        run: folder of an earlier run from which the rest comes, if there is no file.

    Raises:
        InputError: the file or folder cannot be read, or a setting is unknown or out of range.

    Example:
        >>> spec_from_options({"model": "vae", "latent_sizes": (8,), "seed": 3}).training.seed
        3
    """
    tables: dict[str, dict[str, Any]] = {}
    for option, value in options.items():
        if value is not None:
            table, setting = place_of(option)
            tables.setdefault(table, {})[setting] = value
    base = ExperimentSpec()
    if spec is not None:
        base = ExperimentSpec.read(spec)
    elif run is not None:
        base = RunFolder.open(run).spec
    return base.changed(**tables)


def place_of(option: str) -> tuple[str, str]:
    """The table and the setting that an option stands for.

    Raises:
        InputError: there is none.

    Example:
        >>> place_of("seed"), place_of("beta")
        (('training', 'seed'), ('objective', 'beta'))
    """
    if option in ELSEWHERE:
        return ELSEWHERE[option]
    for table, section in ExperimentSpec.model_fields.items():
        fields: Any = section.annotation
        if option in fields.model_fields:
            return table, option
    raise InputError(f"{option}: no such setting")
