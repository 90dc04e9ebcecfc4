"""A setting is written once: a field of a frozen dataclass, explained in the class's docstring.

Tables of a TOML file and options of the command line are made from such classes, with their defaults and help texts.
"""

import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from seatbelt_vae.errors import InputError

LONGEST = 80
"""Characters of a value that a message repeats."""

Count = Annotated[int, Field(ge=1, lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Section(BaseModel):
    """A table of settings: frozen, no unknown names, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


T = TypeVar("T", bound=Section)
_KNOWN: "dict[type, Mapping[str, Setting]]" = {}


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


def settings_of(cls: type) -> Mapping[str, Setting]:
    """The settings of a dataclass or of a `Section`, by name. What is made anew for each instance is none.

    Args:
        cls: a class whose docstring explains its fields under ``Args:`` or ``Attributes:``.

    Example:
        >>> settings_of(Setting)["help"].help
        'what it means.'
    """
    if cls not in _KNOWN:
        read = _of_dataclass
        if issubclass(cls, BaseModel):
            read = _of_section
        _KNOWN[cls] = types.MappingProxyType(read(cls, explained(cls)))
    return _KNOWN[cls]


def _of_section(cls: Any, help_texts: Mapping[str, str]) -> dict[str, Setting]:
    found = {}
    for name, info in cls.model_fields.items():
        words = help_texts.get(name) or info.description or ""
        found[name] = Setting(name, info.rebuild_annotation(), info.default, words)
    return found


def _of_dataclass(cls: Any, help_texts: Mapping[str, str]) -> dict[str, Setting]:
    kinds = typing.get_type_hints(cls, include_extras=True)
    found = {}
    for field in dataclasses.fields(cls):
        if field.init and field.default_factory is dataclasses.MISSING:
            found[field.name] = Setting(field.name, kinds[field.name], field.default, help_texts.get(field.name, ""))
    return found


def explained(cls: type) -> dict[str, str]:
    """What a class's docstrings say of its fields, those of its bases included.

    Example:
        >>> explained(Setting)["kind"]
        'its type.'
    """
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        found |= _entries(inspect.cleandoc(each.__dict__.get("__doc__") or ""))
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


def table(title: str, cls: type, **own: tuple[Any, Any]) -> type[Section]:
    """Make a table of one class: with its settings, its defaults and its checks.

    Args:
        title: name of the new class.
        cls: a dataclass whose settings all have defaults.
        own: further fields, type and default.

    Example:
        >>> @dataclass(frozen=True)
        ... class Speed:
        ...     metres: int = 3
        >>> table("SpeedTable", Speed, name=(str, "mine"))().model_dump()
        {'name': 'mine', 'metres': 3}
    """
    known = settings_of(cls)

    def check(self: Section) -> Section:
        cls(**{name: getattr(self, name) for name in known})
        return self

    fields: dict[str, Any] = dict(own)
    for setting in known.values():
        fields[setting.name] = (_written([setting.kind]), Field(setting.default, description=setting.help))
    validators: Any = {"check": model_validator(mode="after")(check)}
    return create_model(title, __base__=Section, __validators__=validators, __doc__=title, **fields)


def section(
    title: str,
    classes: Mapping[str, type],
    without: Iterable[str] = (),
    **own: tuple[Any, Any],
) -> type[Section]:
    """Make a table for a choice of classes: with the settings of them all, each None until it is given.

    Args:
        title: name of the new class.
        classes: dataclasses by name; settings of the same name share a field.
        without: names of fields that are no settings.
        own: further fields, type and default.

    Example:
        >>> made = section("Table", {"setting": Setting}, pairs=(int, 10))
        >>> made(name="beta").model_dump(exclude_none=True)
        {'pairs': 10, 'name': 'beta'}
    """
    found: dict[str, dict[str, Setting]] = {}
    for owner, cls in classes.items():
        for setting in settings_of(cls).values():
            if setting.name not in without:
                found.setdefault(setting.name, {})[owner] = setting
    fields: dict[str, Any] = dict(own)
    for name, owners in found.items():
        kind = _written([*(setting.kind for setting in owners.values()), None])
        fields[name] = (kind, Field(None, description=_help(owners)))
    return create_model(title, __base__=Section, __doc__=title, **fields)


def _written(kinds: Iterable[Any]) -> Any:
    """The union of types, without what no file can hold: functions, modules, tensors."""
    kept: list[Any] = []
    for kind in kinds:
        members = [kind]
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            members = list(typing.get_args(kind))
        kept += [member for member in members if _can_be_written(member)]
    return typing.Union[tuple(kept)]  # noqa: UP007


def _can_be_written(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return True
    if origin is Annotated:
        return _can_be_written(typing.get_args(kind)[0])
    if origin is tuple:
        return all(map(_can_be_written, typing.get_args(kind)))
    return kind in (str, int, float, bool, None, types.NoneType, ...)


def _help(owners: Mapping[str, Setting]) -> str:
    """What a setting means and its default, and to whom where that differs."""
    meanings: dict[str, list[str]] = {}
    for owner, setting in owners.items():
        text = setting.help
        if setting.default not in (None, dataclasses.MISSING) and setting.default is not False:
            text = f"{text.rstrip('.')} ({setting.default})."
        meanings.setdefault(text, []).append(owner)
    if len(meanings) == 1:
        return next(iter(meanings))
    return " ".join(f"{', '.join(names)}: {text}" for text, names in meanings.items())


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


def known_to(cls: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some settings that a class has and that are given.

    Example:
        >>> known_to(Setting, {"name": "beta", "help": None, "weight": 3})
        {'name': 'beta'}
    """
    own = settings_of(cls)
    return {name: value for name, value in settings.items() if name in own and value is not None}


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
    name = ".".join(location)
    if problem["type"] == "value_error":  # a class's own check, which names its setting
        return ".".join([*location, str(problem["ctx"]["error"])])
    if problem["type"] != "extra_forbidden":
        return f"{name}: {problem['msg']}, got {shown(problem['input'])}"
    table: Any = kind
    for part in location[:-1]:
        if part in table.model_fields:  # else it is a place in a list
            table = _table_in(table.model_fields[part].annotation)
    known = list(table.model_fields)
    hint = f", use one of {', '.join(known)}"
    if close := difflib.get_close_matches(location[-1], known, n=1):
        hint = f", did you mean {close[0]}?"
    return f"{name}: no such setting{hint}"


def _table_in(annotation: Any) -> Any:
    """The class of the table in an annotation such as ``tuple[Table, ...] | None``."""
    if hasattr(annotation, "model_fields"):
        return annotation
    tables = [_table_in(each) for each in typing.get_args(annotation)]
    return next(filter(None, tables), None)


def near(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is nearest, empty where none is near.

    Example:
        >>> near("latnet", ["latent", "output"])
        ' (did you mean latent?)'
    """
    found = difflib.get_close_matches(str(name), list(known), n=1)
    if not found:
        return ""
    return f" (did you mean {found[0]}?)"


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
