"""Options made from the classes that TOML files and Python use: a new setting there is an option here."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from seatbelt_vae.cli.kinds import parsed_as, read
from seatbelt_vae.settings import Setting, settings_of

Json = Annotated[bool, Parameter(name="--json", help="Print one JSON document.")]
"""One JSON document on stdout and nothing else there."""

Device = Annotated[str, Parameter(name="--device", help="auto, cpu, cuda or mps.")]
"""Where to compute."""

Moved = Annotated[str | None, Parameter(name="--data", help="Where the run's images are now, if they were moved.")]
"""The same images elsewhere: their digest says so."""

Settings = Mapping[str, Any]
"""The settings of a table that were given."""

FLAGS = {
    "data.name": "data",
    "data.path": "data_path",
    "data.seed": "data_seed",
    "model.name": "model",
    "objective.name": "objective",
    "robust.method": "robust",
    "evaluation.measures": "measure",
    "evaluation.iwae_samples": "iwae",
    "evaluation.aggregate_samples": "aggregate",
}
"""Options that are not called as their setting is."""

Command = Callable[..., None]


@dataclass(frozen=True)
class Pace:
    """How often a training writes, and where.

    Args:
        checkpoint_every: steps between checkpoints.
        log_every: steps between records in metrics.jsonl.
        log: where the records go, too: tensorboard, in the run's folder.
    """

    checkpoint_every: int = 500
    log_every: int = 50
    log: str | None = None


def takes(**tables: type) -> Callable[[Command], Command]:
    """Give a command the settings of tables as options.

    The command gets a mapping for each table: what was given, by the setting's name.

    Args:
        tables: dataclasses or tables of a spec by the name of the command's argument.
    """
    chosen = dataclass_of(tables)

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def parsed(*words: Any, options: Any = None, **more: Any) -> None:
            command(*words, **given(options or chosen(), tables), **more)

        signature = inspect.signature(command)
        own = []
        for each in signature.parameters.values():
            if each.name not in tables and each.kind != each.VAR_KEYWORD:
                own.append(each)
        made = inspect.Parameter("options", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=chosen | None)
        parsed.__signature__ = signature.replace(parameters=[*own, made])  # type: ignore[attr-defined]
        parsed.__annotations__ = {each.name: each.annotation for each in (*own, made)}
        return parsed

    return decorate


def dataclass_of(tables: Mapping[str, type]) -> type:
    """Make the dataclass that cyclopts turns into options: every setting of the tables, None until it is given.

    Of two settings with the same name the second has its table's name before its own.
    """
    made: dict[str, Any] = {}
    for table, cls in tables.items():
        for setting in settings_of(cls).values():
            flag = FLAGS.get(f"{table}.{setting.name}", setting.name)
            if flag in made:
                flag = f"{table}_{flag}"
            kind = parsed_as(setting.kind) | None
            annotation = Annotated[kind, _parameter(setting)]  # type: ignore[valid-type]
            made[flag] = annotation, field(default=None, metadata={"table": table, "setting": setting})
    listed = [(flag, *details) for flag, details in made.items()]
    home = {"__module__": __name__}  # else it is taken for a class of the standard library
    options = make_dataclass("Options", listed, frozen=True, kw_only=True, namespace=home)
    return Parameter(name="*")(options)


def given(options: Any, tables: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The settings that were given, by table.

    Raises:
        InputError: a list is not one.
    """
    found: dict[str, dict[str, Any]] = {table: {} for table in tables}
    for each in fields(options):
        value = getattr(options, each.name)
        if value is not None:
            setting = each.metadata["setting"]
            flag = f"--{each.name.replace('_', '-')}"
            found[each.metadata["table"]][setting.name] = read(value, setting.kind, flag)
    return found


def _parameter(setting: Setting) -> Parameter:
    words = re.sub(r":\w+:`|`", "", setting.help)  # the marks of docstrings
    default: Any = False
    if setting.default not in (None, MISSING) and setting.default is not False:
        default = str(setting.default)
    return Parameter(help=words, show_default=default)
