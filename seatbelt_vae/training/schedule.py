"""What happens at which step: seeds, batches and the learning rate as pure functions of (seed, step)."""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Make an independent 63-bit seed for one purpose, the same in every process.

    Args:
        seed: the run's seed.
        purpose: what the seed is for, such as ``"noise", step``.

    Returns:
        A number that `torch.Generator.manual_seed` takes.

    Example:
        >>> derived_seed(0, "noise", 3) == derived_seed(0, "noise", 3) != derived_seed(0, "noise", 4)
        True
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(device: torch.device | str, seed: int, *purpose: str | int) -> torch.Generator:
    """Make a generator on a device, seeded for one purpose (see `derived_seed`)."""
    return torch.Generator(device=device).manual_seed(derived_seed(seed, *purpose))


def cosine_decay(lr: float, step: int, steps: int) -> float:
    r"""Give the learning rate of a step.

    .. math:: \tfrac12\,\mathrm{lr}\,(1 + \cos(\pi\, t / T)), \qquad t = 0, \dots, T - 1

    Args:
        lr: rate of the first step.
        step: the step t, counted from 0.
        steps: number of steps T.

    References:
        Loshchilov & Hutter 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
        >>> cosine_decay(1e-3, step=0, steps=10)
        0.001
    """
    return 0.5 * lr * (1 + math.cos(math.pi * step / steps))


@lru_cache(maxsize=2)
def _permutation(size: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(size, generator=generator("cpu", seed, "epoch", epoch))


@dataclass(frozen=True)
class BatchSchedule:
    """Which examples each step sees: every epoch a fresh permutation, of which the odd end is dropped.

    Nothing is drawn in sequence, so a resumed run sees the batches that it would have seen.

    Args:
        size: number of training examples N.
        batch_size: examples a step.
        seed: the run's seed.

    Raises:
        InputError: a batch is larger than the data set.

    Example:
        >>> schedule = BatchSchedule(size=4, batch_size=2, seed=0)
        >>> sorted(torch.cat([schedule.batch(0), schedule.batch(1)]).tolist())
        [0, 1, 2, 3]
    """

    size: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= self.size:
            raise InputError(
                f"batch_size: {self.batch_size} does not fit the {self.size} training images, "
                f"use a number from 1 to {self.size}"
            )

    def batch(self, step: int) -> Tensor:
        """Give the indices of a step's batch, shape (batch_size,)."""
        return self._at(step, 0, self.batch_size)

    def others(self, step: int, count: int) -> Tensor:
        """Give `count` further examples, all distinct from the step's batch, shape (count,).

        Raises:
            InputError: batch and others together are more than the data set.
        """
        together = self.batch_size + count
        if together > self.size:
            raise InputError(
                f"tc_samples: {together} are more than the {self.size} training images, use at most {self.size}"
            )
        return self._at(step, self.batch_size, count)

    def _at(self, step: int, offset: int, count: int) -> Tensor:
        steps_an_epoch = self.size // self.batch_size
        epoch, position = divmod(step, steps_an_epoch)
        first = position * self.batch_size + offset
        places = (first + torch.arange(count)) % self.size
        return _permutation(self.size, self.seed, epoch)[places]
