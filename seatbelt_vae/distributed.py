"""Several processes at one training, as ``torchrun`` starts them. Rank r of R has rows r, r + R, r + 2R … of a batch.

Every rank computes the loss of the whole batch, from what :func:`gather` gives, and the gradient through its own rows.
The sum of these is the gradient, see :func:`sum_gradients`. Where there is one process nothing of this happens.
"""

import atexit
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from seatbelt_vae.errors import InputError, RunError

T = TypeVar("T")


def launched() -> int:
    """How many processes ``torchrun`` has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", 1))


def together() -> bool:
    """Whether this process has joined others."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if together() else 0


def world_size() -> int:
    """The number R of processes."""
    return dist.get_world_size() if together() else 1


def join(device: torch.device) -> None:
    """Work together with the other processes that ``torchrun`` started, until this one ends.

    Once for all trainings of a process: the keys of a group that was left stay in the store where processes meet.

    Raises:
        InputError: they cannot talk from such a device.
        RunError: one of them is gone.

    Example:
        >>> join(torch.device("cpu"))
        >>> rank(), world_size()
        (0, 1)
    """
    if launched() == 1 or together():
        return
    backends = {"cpu": "gloo", "cuda": "nccl"}
    if device.type not in backends:
        raise InputError(f"device: several processes train on cpu or cuda, not on {device.type}")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    collective(dist.init_process_group, backends[device.type])
    atexit.register(dist.destroy_process_group)


def collective(operation: Callable[..., Any], *arguments: Any) -> None:
    """Call what all processes have to call.

    Raises:
        RunError: one of them is gone.
    """
    try:
        operation(*arguments)
    except RuntimeError as error:  # torch has no class of its own for it
        reason = str(error).partition("\n")[0]
        raise RunError(f"rank {os.environ.get('RANK', 0)}: has lost the other processes ({reason})") from error


def share(rows: Tensor) -> Tensor:
    """This rank's rows of a whole batch.

    Example:
        >>> share(torch.arange(3))
        tensor([0, 1, 2])
    """
    if world_size() == 1:
        return rows
    return rows[rank() :: world_size()]


def gather(rows: Tensor) -> Tensor:
    """A whole batch of all ranks' rows, of which there are as many on each; the gradient is that of this rank's own."""
    if world_size() == 1:
        return rows
    whole: Tensor = Gather.apply(rows)
    return whole


class Gather(torch.autograd.Function):
    """The rows of all ranks, in the order of the batch."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        """Collect them."""
        rows = rows.contiguous()
        parts = [torch.empty_like(rows) for _ in range(world_size())]
        collective(dist.all_gather, parts, rows)
        return torch.stack(parts, dim=1).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Every rank has the same loss: nothing has to be sent."""
        return share(gradient)


def total(value: Tensor) -> Tensor:
    """The sum of a tensor over all ranks, without gradient, in place."""
    if world_size() > 1:
        collective(dist.all_reduce, value)
    return value


def sum_gradients(parameters: Iterable[Tensor]) -> None:
    """Add up the gradients of all ranks: that of the whole batch, equal to the bit on all of them.

    One message after the backward pass. The wrapper ``DistributedDataParallel`` sends while that pass runs, which gains
    little for models of a few megabytes; and it knows one way through a model, where ours are encoded, decoded and
    perturbed by objectives.
    """
    if world_size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    packed = total(torch.cat([gradient.flatten() for gradient in gradients]))
    parts = packed.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def broadcast(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of rank 0."""
    if world_size() == 1:
        return
    for tensor in tensors:
        collective(dist.broadcast, tensor, 0)


def largest(number: int) -> int:
    """The largest of all ranks' numbers.

    Example:
        >>> largest(3)
        3
    """
    if world_size() == 1:
        return number
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    value = torch.tensor(number, device=device)
    collective(dist.all_reduce, value, dist.ReduceOp.MAX)
    return int(value)


def on_rank_zero(work: Callable[[], T]) -> T:
    """Let rank 0 do what one alone may do, such as writing; all wait, and get its result or its error.

    Example:
        >>> on_rank_zero(lambda: "written")
        'written'
    """
    if world_size() == 1:
        return work()
    answer: list[Any] = [None, None]
    if rank() == 0:
        try:
            answer[0] = work()
        except (InputError, RunError) as error:
            answer[1] = error
    collective(dist.broadcast_object_list, answer, 0)
    result, failure = answer
    if failure is not None:
        raise failure
    return result
