"""A setting is written once: a field of a frozen dataclass, explained in the class's docstring.

Tables of a TOML file and options of the command line are made from such classes, with their defaults and help texts.
"""

import dataclasses
import difflib
import inspect
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from seatbelt_vae.errors import InputError

LONGEST = 80
"""Characters of a value that a message repeats."""


class Section(BaseModel):
    """A table of settings: frozen, no unknown names, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


T = TypeVar("T", bound=Section)


@dataclass(frozen=True)
class Setting:
    """One setting.

    Args:
        name: the field's name.
        kind: its type.
        default: its default; `dataclasses.MISSING` where it has to be given.
        help: what it means.
    """

    name: str
    kind: Any
    default: Any
    help: str


def settings_of(cls: type) -> dict[str, Setting]:
    """The settings of a dataclass or of a table, by name.

    Args:
        cls: a dataclass or a `Section` whose docstring explains its fields under ``Args:`` or ``Attributes:``.

    Example:
        >>> settings_of(Setting)["help"].help
        'what it means.'
    """
    help_texts = explained(cls)
    if issubclass(cls, BaseModel):
        return _settings_of_table(cls, help_texts)
    kinds = typing.get_type_hints(cls, include_extras=True)
    found = {}
    for field in dataclasses.fields(cls):
        if field.init:
            found[field.name] = Setting(field.name, kinds[field.name], _default(field), help_texts.get(field.name, ""))
    return found


def _settings_of_table(table: type[BaseModel], help_texts: Mapping[str, str]) -> dict[str, Setting]:
    found = {}
    for name, field in table.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if field.is_required():
            default = dataclasses.MISSING
        help_text = field.description or help_texts.get(name, "")
        found[name] = Setting(name, field.annotation, default, help_text)
    return found


def explained(cls: type) -> dict[str, str]:
    """What a class's docstrings say of its fields, those of its bases included.

    Example:
        >>> explained(Setting)["kind"]
        'its type.'
    """
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        found |= _entries(inspect.cleandoc(each.__doc__ or ""))
    return found


def _entries(docstring: str) -> dict[str, str]:
    """``name: words`` under ``Args:`` and ``Attributes:``; deeper lines go on with the words."""
    found: dict[str, str] = {}
    listing = False
    name = ""
    for line in docstring.splitlines():
        if not line.startswith(" "):
            listing = line in ("Args:", "Attributes:") or (listing and not line)
            continue
        entry = re.fullmatch(r"    (\w+): (.*)", line)
        if listing and entry:
            name = entry[1]
            found[name] = entry[2]
        elif listing and name:
            found[name] += f" {line.strip()}"
    return found


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def section(title: str, classes: Iterable[type], **own: tuple[Any, Any]) -> type[Section]:
    """Make a table that holds the settings of several classes, each None until it is given.

    Args:
        title: name of the new class.
        classes: dataclasses; settings of the same name share a field.
        own: further fields, type and default.

    Example:
        >>> table = section("Table", [Setting], pairs=(int, 10))
        >>> table(name="beta").model_dump(exclude_none=True)
        {'pairs': 10, 'name': 'beta'}
    """
    takers: dict[str, list[tuple[str, Setting]]] = {}
    for cls in classes:
        for setting in settings_of(cls).values():
            takers.setdefault(setting.name, []).append((cls.__name__, setting))
    fields: dict[str, Any] = dict(own)
    for name, several in takers.items():
        kinds = [setting.kind for _, setting in several]
        if name not in own:
            field = Field(None, description=_described(several))
            fields[name] = (typing.Union[*kinds, None], field)  # noqa: UP007
    return create_model(title, __base__=Section, **fields)


def _described(takers: Iterable[tuple[str, Setting]]) -> str:
    """What a setting means to each class that has it, and its default there."""
    meanings: dict[str, list[str]] = {}
    for name, setting in takers:
        meaning = setting.help.rstrip(".")
        if setting.default not in (None, dataclasses.MISSING):
            meaning += f" [default: {setting.default}]"
        meanings.setdefault(meaning, []).append(name)
    if len(meanings) == 1:
        return next(iter(meanings))
    return "; ".join(f"{', '.join(names)}: {meaning}" for meaning, names in meanings.items())


def build(classes: Mapping[str, type], name: str, given: Mapping[str, Any], source: str) -> Any:
    """Make the instance of a class that settings describe.

    Args:
        classes: by name.
        name: which.
        given: its settings; None means not given.
        source: what the name stands for, put before a message.

    Raises:
        InputError: the name is unknown, a setting belongs to another class, is missing, or is out of range.

    Example:
        >>> build({"setting": Setting}, "setting", {"name": "a", "kind": int, "default": 1, "help": ""}, "spec").name
        'a'
    """
    if name not in classes:
        raise InputError(f"{source}: {shown(name)} is unknown{near(name, classes)}, use one of {', '.join(classes)}")
    known = settings_of(classes[name])
    values = {key: value for key, value in given.items() if value is not None}
    for key in values:
        if key not in known:
            raise InputError(f"{key}: means nothing to {source} {name}{_elsewhere(key, classes)}")
    for setting in known.values():
        if setting.default is dataclasses.MISSING and setting.name not in values:
            raise InputError(f"{setting.name}: {source} {name} needs it ({setting.help.rstrip('.')})")
    return classes[name](**values)


def plain(instance: Any) -> dict[str, Any]:
    """The settings of an instance as values that JSON holds; tuples become lists, functions their names.

    Example:
        >>> plain(Setting("a", int, (1, 2), ""))
        {'name': 'a', 'kind': 'int', 'default': [1, 2], 'help': ''}
    """
    return {name: _plain(getattr(instance, name)) for name in settings_of(type(instance))}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return str(getattr(value, "__name__", "custom"))


def checked(kind: type[T], settings: Mapping[str, Any], source: str) -> T:
    """Make a table, or say in one line what is wrong.

    Args:
        kind: the table's class.
        settings: its settings.
        source: where they come from, put before the message.

    Raises:
        InputError: a setting is unknown (with the nearest that exists) or out of range.
    """
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        problems = [_explain(kind, problem) for problem in error.errors()]
        raise InputError(f"{source}: {'; '.join(dict.fromkeys(problems))}") from error


def _explain(kind: type[Section], problem: Any) -> str:
    """One of pydantic's errors in words."""
    location = [str(part) for part in problem["loc"]]
    if problem["type"] != "extra_forbidden":
        return f"{'.'.join(location)}: {problem['msg']}, got {shown(problem['input'])}"
    fields: Any = kind
    for part in location[:-1]:
        fields = fields.model_fields[part].annotation
    known = list(fields.model_fields)
    hint = near(location[-1], known) or f", use one of {', '.join(known)}"
    return f"{'.'.join(location)}: no such setting{hint}"


def near(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is nearest, empty where none is near.

    Example:
        >>> near("latnet", ["latent", "output"])
        ' (did you mean latent?)'
    """
    found = difflib.get_close_matches(str(name), list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def shown(value: Any) -> str:
    """A value as a message repeats it, cut after `LONGEST` characters.

    Example:
        >>> len(shown("a" * 1000))
        81
    """
    text = repr(value)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…"


def _elsewhere(key: str, classes: Mapping[str, type]) -> str:
    takers = [name for name, cls in classes.items() if key in settings_of(cls)]
    if not takers:
        return ""
    return f", only to {', '.join(takers)}"
