"""How the words of an option become the value of a setting: comma lists become tuples, words stay words."""

import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import shown

SEQUENCES = (tuple, list, Sequence)


@dataclass(frozen=True)
class Kind:
    """The type of a setting, as the command line sees it.

    Args:
        members: what it may be, None apart.

    Example:
        >>> lambdas = Kind.of(str | tuple[float, ...] | None)
        >>> lambdas.read("0,1,10", "--lambdas"), lambdas.read("paper", "--lambdas")
        ((0.0, 1.0, 10.0), 'paper')
    """

    members: tuple[Any, ...]

    @classmethod
    def of(cls, annotation: Any) -> "Kind":
        """The kind of an annotation."""
        return cls(tuple(_members(annotation)))

    @property
    def lists(self) -> list[Any]:
        """The lists among its members."""
        return [each for each in self.members if typing.get_origin(each) in SEQUENCES]

    @property
    def parsed(self) -> Any:
        """What cyclopts is to read: a plain type where there is only one, else a word."""
        if self.members == (bool,) or self.members == (int,):
            return self.members[0]
        if self.members and set(self.members) <= {int, float}:
            return float
        if len(self.members) == 1 and typing.get_origin(self.members[0]) is Literal:
            return self.members[0]
        return str

    def read(self, value: Any, flag: str) -> Any:
        """The setting's value.

        Raises:
            InputError: the word is not a list of what it should be.
        """
        if not isinstance(value, str) or not self.lists:
            return value
        if self._is_word(value):
            return value
        elements = typing.get_args(self.lists[0])
        return _tuple(value, elements[0], flag)

    def _is_word(self, text: str) -> bool:
        takes_words = len(self.lists) < len(self.members)
        return takes_words and not any(letter.isdigit() or letter == "," for letter in text)


def _members(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        found: list[Any] = []
        for each in typing.get_args(annotation):
            found += [member for member in _members(each) if member not in found]
        return found
    if annotation is type(None):
        return []
    return [annotation]


def _tuple(text: str, element: Any, flag: str) -> tuple[Any, ...]:
    """``0,1,2.5`` of numbers or words; lists of lists are separated by ``/``."""
    kind = Kind.of(element)
    if kind.lists:
        return tuple(_tuple(part, typing.get_args(kind.lists[0])[0], flag) for part in text.split("/"))
    if kind.members == (str,):
        return tuple(text.split(","))
    try:
        return tuple(kind.members[0](part) for part in text.split(","))
    except ValueError as error:
        example = "0,1,2.5"
        if kind.members[0] is int:
            example = "0,1,2"
        raise InputError(f"{flag}: {shown(text)} is not a list of numbers, write them as {example}") from error
