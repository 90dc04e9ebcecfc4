"""Rows of nested dataclasses of tensors and arrays, in which each has one entry per row."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.host import Integers, Marks, send


def row_map(function: Callable[..., Any], *structures: Any) -> Any:
    """Apply a function to every tensor and array of structures that are made alike."""
    first: Any = structures[0]
    if not is_dataclass(first):
        return function(*structures)
    results = []
    for field in fields(first):
        parts = [getattr(structure, field.name) for structure in structures]
        results.append(row_map(function, *parts))
    made: Callable[..., Any] = type(first)
    return made(*results)


def pick(part: Any, rows: Integers) -> Any:
    """A copy of some rows (B,) of a tensor or an array."""
    if isinstance(part, Tensor):
        return part.index_select(0, send(rows, part))
    return part[rows]


def take(structure: Any, rows: Integers) -> Any:
    """A copy of some rows (B,)."""
    return row_map(lambda part: pick(part, rows), structure)


def choose(where: Marks, new: Any, old: Any) -> Any:
    """The marked rows of `new`, and the others of `old`."""
    if where.all():
        return new
    if not where.any():
        return old
    if isinstance(old, Tensor):
        return torch.where(send(where, old)[:, None], new, old)
    return np.where(where, new, old)


def join(structure: Any, more: Any) -> Any:
    """The rows of one structure and then those of another."""
    return row_map(_join, structure, more)


def _join(rows: Any, more: Any) -> Any:
    if not isinstance(rows, Tensor):
        return np.concatenate((rows, more))
    if rows.ndim > 2:  # only the history has so many dimensions, and it is large
        return append(rows, more)
    return torch.cat((rows, more))


def append(rows: Tensor, more: Tensor) -> Tensor:
    """`more` after `rows`: in place where the memory of `rows` goes on beyond them, as it does after `close_gaps`.

    Otherwise both are copied, with room for as many again. Only for what nobody else holds a view of.

    Example:
        >>> append(torch.zeros(1, 2), torch.ones(1, 2))
        tensor([[0., 0.],
                [1., 1.]])
    """
    count = len(rows) + len(more)
    shape = rows.shape[1:]
    numbers = rows.untyped_storage().nbytes() // rows.element_size()
    room = numbers // max(1, shape.numel())
    if not rows.is_contiguous() or rows.storage_offset() or room < count:
        grown = rows.new_empty(2 * count, *shape)
        grown[: len(rows)] = rows
        rows = grown
    out = rows.as_strided((count, *shape), rows.stride())
    out[count - len(more) :] = more
    return out


def close_gaps(structure: Any, count: int, gaps: Integers) -> Any:
    """Move the last of `count` rows into `gaps` and cut the tail off; tensors in place.

    The cost is that of the rows moved, not of all.
    """
    left = count - len(gaps)
    movers = np.setdiff1d(np.arange(left, count), gaps)
    places = gaps[gaps < left]
    order = np.arange(left)
    order[places] = movers

    def cut(part: Any) -> Any:
        if not isinstance(part, Tensor):
            return part[order]
        if len(places):
            part[send(places, part)] = part[send(movers, part)]
        return part[:left]

    return row_map(cut, structure)
