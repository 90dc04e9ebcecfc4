"""How many images a call of an objective evaluates, by what is fast and by what the memory holds."""

import torch
from torch import Tensor

from seatbelt_vae.optim.problem import Objective, Rounded

PIXELS, FEWEST, MOST = 2**18, 16, 128
"""Of images a call on a CPU: pixels whose feature maps a core's cache holds, and the least and most images."""

WAY_BACK = 2
"""What a value and its gradient hold at most, by what is kept for the gradient: as much again while it is computed."""


def images_per_call(source: Tensor, samples: int = 0) -> int | None:
    """How many rows a call of an objective evaluates best: 2^18 pixels and 16 to 128 images on a CPU, else all.

    A rule and no trial of the machine: another chunk rounds differently, and an attack has to come out the same again.

    Args:
        source: images (P, C, H, W).
        samples: sets of random numbers a row is evaluated with.

    Example:
        >>> images_per_call(torch.zeros(1, 1, 64, 64)), images_per_call(torch.zeros(1, 3, 128, 128))
        (64, 16)
        >>> images_per_call(torch.zeros(1, 1, 64, 64), samples=4)
        16
    """
    if source.device.type != "cpu":
        return None
    images = min(max(PIXELS // (source.shape[2] * source.shape[3]), FEWEST), MOST)
    return max(1, images // max(1, samples))


def parts(images: Tensor, samples: int = 0) -> tuple[Tensor, ...]:
    """The indices of images (P, C, H, W) in small parts: for what is computed once for all of them.

    Example:
        >>> [len(part) for part in parts(torch.zeros(40, 3, 128, 128))]
        [16, 16, 8]
    """
    return torch.arange(len(images), device=images.device).split(max(1, FEWEST // max(1, samples)))


def shares(
    smooth: Objective, start: Tensor, chunk: int | None, budget: float, rounded: Rounded | None = None
) -> tuple[int, float]:
    """Share a budget of memory: rows a call may evaluate, for half of it at most, and the bytes left for the solver.

    Args:
        smooth: the objective.
        start: (P, n).
        chunk: rows that suit a call otherwise; None for as many as half of the budget holds.
        budget: bytes. One row is evaluated at a time if it holds not even that.
        rounded: the objective with its kinks rounded off, which keeps more, where it will be called.

    Example:
        >>> shares(lambda d, pairs: d.square().sum(1), torch.zeros(1, 1024), None, 2**20)
        (64, 524288)
    """
    heaviest = smooth if rounded is None else lambda d, pairs: rounded(d, pairs, torch.ones_like(d[:, 0]))
    row = bytes_per_row(heaviest, start)
    affordable = max(1, int(budget / 2 / max(1, row)))
    rows = affordable if chunk is None else min(chunk, affordable)
    return rows, max(0.0, budget - rows * row)


def bytes_per_row(smooth: Objective, start: Tensor) -> int:
    """Bytes that one more row takes in a call of an objective: `WAY_BACK` times what autograd keeps for it.

    Counted for one row and for two; parameters do not show in the difference.

    Example:
        >>> bytes_per_row(lambda d, pairs: d.square().sum(1), torch.zeros(1, 1024))
        8192
    """
    one, two = (_kept(smooth, start[:1].expand(rows, -1)) for rows in (1, 2))
    return WAY_BACK * max(0, two - one)


def _kept(smooth: Objective, d: Tensor) -> int:
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _held = smooth(d.clone().requires_grad_(), torch.zeros(len(d), dtype=torch.long, device=d.device))
    return sum(sizes.values())
