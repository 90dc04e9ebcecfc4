"""Rows of nested dataclasses of tensors, in which every tensor has one entry per row."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor


def tensor_map(function: Callable[..., Tensor], *structures: Any) -> Any:
    """Apply a function to every tensor of structures that are made alike."""
    first = structures[0]
    results = []
    for field in fields(first):
        parts = [getattr(structure, field.name) for structure in structures]
        if isinstance(parts[0], Tensor):
            results.append(function(*parts))
        else:
            results.append(tensor_map(function, *parts))
    return type(first)(*results)


def take(structure: Any, rows: Tensor) -> Any:
    """A copy of some rows (B,)."""
    return tensor_map(lambda tensor: tensor.index_select(0, rows), structure)


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


def close_gaps(structure: Any, count: int, gaps: Tensor) -> Any:
    """Move the last of `count` rows into `gaps` and cut the tail off, in place.

    The cost is that of the rows moved, not of all.
    """
    left = count - len(gaps)
    tail = torch.ones(len(gaps), dtype=torch.bool, device=gaps.device)
    tail[gaps[gaps >= left] - left] = False
    movers = tail.nonzero()[:, 0] + left
    places = gaps[gaps < left]

    def cut(x: Tensor) -> Tensor:
        x[places] = x[movers]
        return x[:left]

    return tensor_map(cut, structure)
