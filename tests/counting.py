"""Counts what a piece of code asks of a device: operators, and times the host waits for an answer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero"}


class Counter(TorchDispatchMode):
    """Operators and waits while it is entered, backward passes included.

    A wait is a number that Python reads, a copy to the host, or a shape that depends on values: a boolean mask as an
    index, ``nonzero``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.operators = 0
        self.waits = 0
        for name in ("tolist", "cpu"):
            monkeypatch.setattr(Tensor, name, self.counted(getattr(Tensor, name)))

    def counted(self, read: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
        """A method that reads a tensor, and is a wait."""

        def reads(tensor: Tensor) -> Any:
            self.waits += 1
            return read(tensor)

        return reads

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        name = func.__name__.partition(".")[0]
        masks = []
        if name in ("index", "index_put", "index_put_"):
            masks = [index for index in args[1] if index is not None and index.dtype == torch.bool]
        self.waits += name in WAITS or bool(masks)
        return func(*args, **(kwargs or {}))
