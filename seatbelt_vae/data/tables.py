"""The text files beside CelebA's photographs: a row of whole numbers for each, as published or as Kaggle has them."""

import csv
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, tensor

from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.errors import InputError

_LARGEST = 2**63


def read_table(path: Path, names: Sequence[str], headings: Sequence[str] = ()) -> dict[str, Tensor]:
    """Read what a text file says of photographs.

    Args:
        path: a ``.csv`` with headings, or text in columns.
        names: the photographs.
        headings: what the numbers are; by default the file says so: a ``.csv`` in its first line, a text file in its
            second, after the number of rows.

    Returns:
        The numbers of the named photographs by heading, int64 (N,).

    Raises:
        InputError: it cannot be read, says nothing of a photograph, or something else than whole numbers.
    """
    with reading(path, "text"):
        lines = _lines(path)
    if path.suffix == ".csv":
        titles = _line(lines, 0)[1:]
        lines = lines[1:]
    elif headings:
        titles = list(headings)
    else:
        titles = _line(lines, 1)
        lines = lines[2:]
    if headings and len(titles) != len(headings):
        raise InputError(f"{path}: has {len(titles)} columns of numbers, not {len(headings)}")
    headings = headings or titles
    if len(set(headings)) != len(headings):
        raise InputError(f"{path}: two columns have the same heading; all must differ")
    known = {line[0]: line[1:] for line in lines if line}
    columns: dict[str, list[int]] = {heading: [] for heading in headings}
    for name in names:
        row = _row(path, name, known, len(headings))
        for heading, value in zip(headings, row, strict=True):
            columns[heading].append(value)
    return {heading: tensor(column) for heading, column in columns.items()}


def _lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.reader(file, skipinitialspace=True))
        return [line.split() for line in file]


def _line(lines: list[list[str]], number: int) -> list[str]:
    if len(lines) > number:
        return lines[number]
    return []


def _row(path: Path, name: str, known: dict[str, list[str]], width: int) -> list[int]:
    if name not in known:
        raise InputError(f"{path}: says nothing of {one_line(name)}")
    try:
        row = [int(value) for value in known[name]]
    except ValueError:
        row = []
    if len(row) != width or not row or max(map(abs, row)) >= _LARGEST:
        raise InputError(f"{path}: the line of {one_line(name)} is not {width} whole numbers")
    return row
