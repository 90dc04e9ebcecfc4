"""Operators that give the same bits every time, and one line where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from seatbelt_vae.errors import RunError

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
SIGNS = ("deterministic implementation", "deterministic algorithms", "CuBLAS")
"""What torch's messages about a missing form say, in all its versions."""


@contextmanager
def deterministic_algorithms(wanted: bool) -> Iterator[None]:
    """Let torch take deterministic algorithms alone in a block, and then what it took before.

    Args:
        wanted: without it, the block is left alone.

    Raises:
        RunError: an operator has no deterministic form; the message names it.

    Example:
        >>> with deterministic_algorithms(True):
        ...     torch.are_deterministic_algorithms_enabled()
        True
        >>> torch.are_deterministic_algorithms_enabled()
        False
    """
    if not wanted:
        yield
        return
    before = torch.get_deterministic_debug_mode()
    workspace = os.environ.get(CUBLAS)
    os.environ.setdefault(CUBLAS, ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in SIGNS):
            raise
        what = str(error).partition(". ")[0].partition(", but")[0]
        raise RunError(f"deterministic: {what}; use the CPU, another network, or leave deterministic out") from error
    finally:
        torch.set_deterministic_debug_mode(before)
        if workspace is None:
            os.environ.pop(CUBLAS, None)
