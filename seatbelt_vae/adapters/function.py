"""A foreign callable as a module, with the module behind it: a copy of the one is a copy of both."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError


class Function(nn.Module):
    """A callable: a module, a method of one, or a plain function.

    What only training or speed needs is taken off: ``torch.compile`` and ``DataParallel``.

    Args:
        name: what it is called in messages.
        function: the callable.

    Attributes:
        seen: whether the module that does the work is known. It is not behind a plain function.
        takes_noise: whether it has an argument called `noise`.
        one_by_one: whether rows are passed one at a time.

    Raises:
        InputError: not a callable; or an ONNX session, which has no gradients.

    Example:
        >>> encode = Function("encode", nn.Linear(3, 2).forward)
        >>> encode.seen, encode(torch.ones(4, 3)).shape
        (True, torch.Size([4, 2]))
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        super().__init__()
        _check_callable(name, function)
        function = _bare(function)
        self.name = name
        self.takes_noise = _takes_noise(function)
        self.one_by_one = False
        self.function = function
        self.module = _owner(function)
        self.seen = self.module is not None

    def forward(self, *given: Any, **named: Any) -> Any:
        """What the callable returns for rows (B, …)."""
        count = len(given[0])
        if not self.one_by_one or count == 1:
            return self.function(*given, **named)
        rows = []
        for i in range(count):
            row = [each[i : i + 1] if isinstance(each, Tensor) else each for each in given]
            rows.append(self.function(*row, **named))
        return _joined(rows)


def _joined(rows: Sequence[Any]) -> Any:
    """Tensors, or tuples of tensors, of one row each as those of all."""
    if isinstance(rows[0], Tensor):
        return torch.cat(list(rows))
    return tuple(_joined(each) for each in zip(*rows, strict=True))


def _check_callable(name: str, function: Any) -> None:
    if "onnx" in type(function).__module__:
        raise InputError(
            f"{name}: an ONNX graph has no gradients; turn it into a torch module, such as by onnx2torch, and wrap that"
        )
    if not callable(function):
        raise InputError(f"{name}: a {type(function).__name__}; must be a module or function of images or latents")


def _bare(function: Any) -> Any:
    """The callable inside of what makes it fast."""
    function = getattr(function, "_torchdynamo_orig_callable", function)
    if isinstance(function, torch._dynamo.OptimizedModule):
        function = function._orig_mod
    if isinstance(function, nn.DataParallel):
        function = function.module
    if isinstance(function, torch.ScriptMethod):  # cannot be copied
        method = function
        return lambda *given: method(*given)
    return function


def _owner(function: Any) -> nn.Module | None:
    """The module that a callable is, or is a method of."""
    if isinstance(function, functools.partial):
        return _owner(function.func)
    if isinstance(function, nn.Module):
        return function
    owner = getattr(function, "__self__", None)
    if isinstance(owner, nn.Module):
        return owner
    return None


def _takes_noise(function: Any) -> bool:
    if isinstance(function, nn.Module):
        function = function.forward
    try:
        return "noise" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # what is written in C has none
        return False
