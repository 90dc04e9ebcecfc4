"""How the words of an option become the value of a setting: comma lists become tuples, words stay words."""

import types
import typing
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import shown

EXAMPLES = {int: "0,1,2", float: "0,1,2.5"}


def parsed_as(annotation: Any) -> Any:
    """What cyclopts is to read for a setting: a plain type where there is only one, else a word.

    Example:
        >>> parsed_as(int | None), parsed_as(str | tuple[float, ...])
        (<class 'int'>, <class 'str'>)
    """
    members = _members(annotation)
    if len(members) == 1 and (members[0] in (bool, int, float) or typing.get_origin(members[0]) is Literal):
        return members[0]
    if members and set(members) <= {int, float}:
        return float
    return str


def read(value: Any, annotation: Any, flag: str) -> Any:
    """The value of a setting.

    Raises:
        InputError: the word is not a list of what it should be.

    Example:
        >>> read("0,1,10", str | tuple[float, ...], "--lambdas"), read("paper", str | tuple[float, ...], "--lambdas")
        ((0.0, 1.0, 10.0), 'paper')
    """
    members = _members(annotation)
    lists = [each for each in members if _is_list(each)]
    if not isinstance(value, str) or not lists:
        return value
    takes_words = len(lists) < len(members)
    if takes_words and not any(letter.isdigit() or letter == "," for letter in value):
        return value
    return _tuple(value, typing.get_args(lists[0])[0], flag)


def _members(annotation: Any) -> list[Any]:
    """What a setting may be, None apart."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin not in (typing.Union, types.UnionType):
        return [annotation] if annotation is not type(None) else []
    found: list[Any] = []
    for each in typing.get_args(annotation):
        found += [member for member in _members(each) if member not in found]
    return found


def _is_list(kind: Any) -> bool:
    return typing.get_origin(kind) in (tuple, list, Sequence)


def _tuple(text: str, element: Any, flag: str) -> tuple[Any, ...]:
    """``0,1,2.5`` of numbers or words; lists of lists are separated by ``/``."""
    kind = _members(element)[0]
    if _is_list(kind):
        inner = typing.get_args(kind)[0]
        return tuple(_tuple(part, inner, flag) for part in text.split("/"))
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as error:
        example = EXAMPLES.get(kind, "a,b")
        raise InputError(f"{flag}: {shown(text)} is not a list of numbers, write them as {example}") from error
