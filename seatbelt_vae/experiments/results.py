"""Results in a run folder: of which model they are, what is left without one, and reading them late."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

ORIGIN = "origin"
"""Where the settings of a result say what it comes from; see `RunFolder.origin`."""


def without(evaluation: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What was measured, but for one measurement."""
    made = dict(evaluation.get("measurements", {}))
    note = made.pop(name, None)
    old = ["settings"]
    if isinstance(note, dict) and isinstance(note.get("keys"), list):
        old += note["keys"]
    kept = {key: value for key, value in evaluation.items() if key not in old}
    return {**kept, "measurements": made}


def of_model(note: Mapping[str, Any], model: str | None) -> bool:
    """Whether a result is of a model; earlier versions did not say of which it is."""
    origin = note.get(ORIGIN)
    return not isinstance(origin, dict) or origin.get("model") in (None, model)


class Read(Mapping[str, Any]):
    """What is read when it is asked for, and kept.

    Args:
        names: of all there is.
        read: reads one.
    """

    def __init__(self, names: tuple[str, ...], read: Callable[[str], Any]) -> None:
        self._names = names
        self._read = read
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
