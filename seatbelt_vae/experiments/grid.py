"""Grids: settings that are lists become the product of their values."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import Section

MOST = 100_000
"""Runs of a grid."""


def expand(kind: type[Section], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give every combination of the settings that are lists where one value is wanted.

    A setting whose own type is a list takes its list as one value, and a list of lists as a grid.

    Args:
        kind: the section that the settings are of.
        settings: unchecked; tables in them for the sections in it.

    Returns:
        Settings of the same form, unchecked, without grids; the last list varies fastest.

    Raises:
        InputError: the lists make more than `MOST` combinations.

    Example:
        >>> from seatbelt_vae.experiments.spec import ModelSpec
        >>> expand(ModelSpec, {"name": ["vae", "dlgm"], "latent_sizes": [8, 4]})
        [{'name': 'vae', 'latent_sizes': [8, 4]}, {'name': 'dlgm', 'latent_sizes': [8, 4]}]
        >>> [tables["latent_sizes"] for tables in expand(ModelSpec, {"latent_sizes": [[8, 4], [8]]})]
        [[8, 4], [8]]
    """
    axes = [_choices(kind.model_fields.get(name), value) for name, value in settings.items()]
    count = math.prod(map(len, axes))
    if count > MOST:
        raise InputError(f"sweep: its lists make {count} runs; at most {MOST} are made, take shorter lists")
    return [dict(zip(settings, values, strict=True)) for values in itertools.product(*axes)]


def _choices(field: FieldInfo | None, value: Any) -> list[Any]:
    """The values that a setting is to take; what is wrong is left for the section's own check to name."""
    if field is None:
        return [value]
    section = field.annotation
    if isinstance(section, type) and issubclass(section, Section) and isinstance(value, Mapping):
        return expand(section, value)
    if isinstance(value, list) and not _fits(field, value) and any(_fits(field, each) for each in value):
        return value
    return [value]


def _fits(field: FieldInfo, value: Any) -> bool:
    try:
        TypeAdapter[Any](field.rebuild_annotation()).validate_python(value)
    except ValidationError:
        return False
    return True
