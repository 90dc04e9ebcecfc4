"""Grids: settings that are lists become the product of their values."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from seatbelt_vae.experiments.spec import Section

Path = tuple[str, ...]


def expand(kind: type[Section], tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give every combination of the settings that are lists where one value is wanted.

    A setting whose own type is a list takes its list as one value, and a list of lists as a grid.

    Args:
        kind: the section that the settings are of.
        tables: settings, unchecked; tables in them for the sections in it.

    Returns:
        Settings of the same form, unchecked, without grids; the last list varies fastest.

    Example:
        >>> from seatbelt_vae.experiments.spec import ModelSpec
        >>> expand(ModelSpec, {"name": ["vae", "dlgm"], "latent_sizes": [8, 4]})
        [{'name': 'vae', 'latent_sizes': [8, 4]}, {'name': 'dlgm', 'latent_sizes': [8, 4]}]
        >>> [tables["latent_sizes"] for tables in expand(ModelSpec, {"latent_sizes": [[8, 4], [8]]})]
        [[8, 4], [8]]
    """
    axes = list(_axes(kind, tables))
    paths = [path for path, _ in axes]
    return [_nested(dict(zip(paths, values, strict=True))) for values in itertools.product(*(v for _, v in axes))]


def _axes(kind: type[Section], tables: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, list[Any]]]:
    for name, value in tables.items():
        field = kind.model_fields.get(name)
        section = None if field is None else field.annotation
        if isinstance(section, type) and issubclass(section, Section) and isinstance(value, Mapping):
            yield from _axes(section, value, (*above, name))
        else:
            yield (*above, name), [value] if field is None else _choices(field, value)


def _choices(field: FieldInfo, value: Any) -> list[Any]:
    """The values that a setting is to take; what is wrong is left for the section's own check to name."""
    if not isinstance(value, list) or _fits(field, value):
        return [value]
    return value if any(_fits(field, each) for each in value) else [value]


def _fits(field: FieldInfo, value: Any) -> bool:
    try:
        TypeAdapter[Any](field.annotation or Any).validate_python(value)
    except ValidationError:
        return False
    return True


def _nested(settings: Mapping[Path, Any]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for path, value in settings.items():
        table = tables
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value
    return tables
