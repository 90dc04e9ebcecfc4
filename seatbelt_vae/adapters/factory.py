"""A model from a function of the user's own code, named as ``my.module:factory``."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatbelt_vae.attacks.probe import check_whole, one_line
from seatbelt_vae.attacks.protocol import WRAP, Attackable
from seatbelt_vae.errors import InputError

ADAPTERS = {
    "diffusers": "seatbelt_vae.adapters.diffusers.autoencoder_kl(model)",
    "pythae": "seatbelt_vae.adapters.pythae.pythae(model)",
}
"""The adapter of a library's models."""


def load_factory(path: str) -> Attackable:
    """Make a model by a function of no arguments, from a module that the current folder or Python's path has.

    This runs the module's code. Nothing else in this library does that with code that is not its own.

    Args:
        path: ``module:function``, such as ``my.models:best``.

    Returns:
        What the function returns.

    Raises:
        InputError: no such module or function; it raises, or returns something that cannot be attacked.

    Example:
        >>> load_factory("seatbelt_vae.models")
        Traceback (most recent call last):
        seatbelt_vae.errors.InputError: factory 'seatbelt_vae.models': must be module:function, such as my.models:best
    """
    with _current_folder():
        factory = _find(path)
        try:
            model = factory()
        except (Exception, SystemExit) as error:
            raise InputError(f"factory {path}: raised {one_line(error)}") from error
    check_model(path, model)
    attackable: Attackable = model
    return attackable


def check_model(path: str, model: Any) -> None:
    """Refuse what cannot be attacked as it is, and name the adapter that helps.

    Raises:
        InputError: it has no `encode` and `decode`; it is another library's own; its weights are apart or missing.
    """
    kind = type(model).__name__
    for base in type(model).__mro__:
        adapter = ADAPTERS.get(base.__module__.partition(".")[0])
        if adapter is not None:
            raise InputError(f"factory {path}: gave a {kind}; return {adapter}")
    if not isinstance(model, Attackable):
        raise InputError(f"factory {path}: gave a {kind}, which has no encode and decode; return {WRAP}")
    check_whole(model)


def _find(path: str) -> Callable[[], Any]:
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise InputError(f"factory {path!r}: must be module:function, such as my.models:best")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise InputError(f"factory {path}: cannot import {module_name}: {one_line(error)}") from error
    factory = getattr(module, name, None)
    if not callable(factory):
        raise InputError(f"factory {path}: {module_name} has no function {name}")
    found: Callable[[], Any] = factory
    return found


@contextmanager
def _current_folder() -> Iterator[None]:
    """The current folder first on the path, as ``python -m`` has it."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
