"""How many images a call of an objective evaluates, by what is fast and by what the memory holds."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from seatbelt_vae.optim.problem import Objective, Problem

PIXELS, FEWEST, MOST = 2**18, 16, 128
"""Of images a call on a CPU: pixels whose feature maps a core's cache holds, and the least and most images."""

WAY_BACK = 2
"""What a value and its gradient hold at most, by what is kept for the gradient: as much again while it is computed."""


def images_per_call(source: Tensor, samples: int = 0) -> int | None:
    """How many rows a call of an objective evaluates best: 2^18 pixels and 16 to 128 images on a CPU, else all.

    A rule and no trial of the machine: another chunk rounds differently, and an attack has to come out the same again.

    Args:
        source: images (P, C, …).
        samples: sets of random numbers a row is evaluated with.

    Example:
        >>> images_per_call(torch.zeros(1, 1, 64, 64)), images_per_call(torch.zeros(1, 3, 128, 128))
        (64, 16)
        >>> images_per_call(torch.zeros(1, 1, 64, 64), samples=4)
        16
    """
    if source.device.type != "cpu":
        return None
    pixels = source[0, 0].numel()
    images = min(max(PIXELS // pixels, FEWEST), MOST)
    return max(1, images // max(1, samples))


def within(problem: Problem, memory: float) -> tuple[Problem, float]:
    """Share memory: a problem whose calls take half of it at most, and the bytes left for the solver.

    Args:
        problem: with the rows that suit a call otherwise; None for as many as half of the memory holds.
        memory: bytes. One row is evaluated at a time if it holds not even that.

    Example:
        >>> problem = Problem(lambda d, pairs: d.square().sum(1), torch.zeros(1, 1024), -1.0, 1.0)
        >>> problem, left = within(problem, 2**20)
        >>> problem.chunk, left
        (64, 524288)
    """
    heaviest = problem.fun
    smoothed = problem.smoothed
    if smoothed is not None:  # that keeps more
        heaviest = lambda d, pairs: smoothed(d, pairs, torch.ones_like(d[:, 0]))  # noqa: E731
    row = bytes_per_row(heaviest, problem.x0)
    rows = max(1, int(memory / 2 / max(1, row)))
    if problem.chunk is not None:
        rows = min(problem.chunk, rows)
    return replace(problem, chunk=rows), max(0.0, memory - rows * row)


def bytes_per_row(fun: Objective, start: Tensor) -> int:
    """Bytes that one more row takes in a call: `WAY_BACK` times what autograd keeps for it, no parameters."""
    one = _kept(fun, start[:1])
    two = _kept(fun, start[:1].expand(2, -1))
    return WAY_BACK * max(0, two - one)


def _kept(fun: Objective, d: Tensor) -> int:
    """Bytes that autograd would keep for a gradient at d (B, n): counted, and not kept."""
    alive: dict[int, StorageWeakRef] = {}
    kept = 0

    def count(tensor: Tensor) -> None:
        nonlocal kept
        storage = tensor.untyped_storage()
        before = alive.get(storage.data_ptr())
        if before is None or before.expired():  # not kept for another step already
            alive[storage.data_ptr()] = StorageWeakRef(storage)
            kept += storage.nbytes()

    pairs = torch.zeros(len(d), dtype=torch.long, device=d.device)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda nothing: nothing):
        fun(d.clone().requires_grad_(), pairs)
    return kept
