"""How much each posterior of a minibatch counts in the aggregate posterior: the estimators differ in nothing else."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, get_args

from torch import Tensor

from seatbelt_vae.errors import InputError

Estimator = Literal["mws", "mss", "leave-one-in"]


@dataclass(frozen=True)
class Weights:
    r"""W_ij of sample i under posterior j; sample i was drawn from posterior i. Three numbers say all of it.

    With M posteriors and N training examples:

    - ``mws``: W_ij = 1 / (N M). Rows sum to 1/N: biased, by about (D - 1) log N in a total correlation.
    - ``mss``: W_ii = 1/N, one other column (N - M + 1) / (N (M - 1)), the rest 1 / (M - 1). Rows sum to 1. The other
      column is the next one, so that it never meets the diagonal.
    - ``leave-one-in``: W_ii = 1/N, the rest (N - 1) / (N (M - 1)). Rows sum to 1.

    Attributes:
        posteriors: M, the number of columns.
        rest: weight of most posteriors.
        own: W_ii as a multiple of `rest`.
        following: the weight of the next posterior, cyclically, as a multiple of `rest`.

    References:
        Chen et al. 2018, Isolating Sources of Disentanglement in VAEs, appendix C (MWS and MSS).
        Esmaeili et al. 2019, Structured Disentangled Representations (leave-one-in).
    """

    posteriors: int
    rest: float
    own: float = 1.0
    following: float = 1.0

    @classmethod
    def of(cls, samples: int, posteriors: int, data_size: int, estimator: Estimator) -> Self:
        """The weights of an estimator for B samples and M posteriors out of N.

        Raises:
            InputError: N < M < B, an unknown estimator, or a single posterior where weights need two.

        Example:
            >>> Weights.of(4, 4, data_size=12, estimator="mss")
            Weights(posteriors=4, rest=0.333..., own=0.25, following=0.75)
        """
        check_estimator(estimator)
        n, m = data_size, posteriors - 1
        if posteriors < samples:
            raise InputError(f"log_q: must have a posterior for each of the {samples} samples, has {posteriors}")
        if n < posteriors:
            raise InputError(f"data_size {n}: must be at least the {posteriors} posteriors of the batch")
        if estimator == "mws":
            return cls(posteriors, rest=1 / (n * posteriors))
        if m == 0 and n > 1:
            raise InputError(f"estimator {estimator!r}: needs a batch of at least 2")
        if m == 0:
            return cls(posteriors, rest=1.0)
        if estimator == "mss":
            return cls(posteriors, rest=1 / m, own=m / n, following=(n - m) / n)
        return cls(posteriors, rest=(n - 1) / (n * m), own=m / (n - 1))

    def add_to(self, block: Tensor, shift: int, log: Callable[[float], float] = math.log) -> Tensor:
        """Add log(W_ij / rest) in place to log densities of some samples (first axis) and posteriors (last axis).

        Args:
            block: of the matrix, with any axes in between.
            shift: the block's first row less its first column.
            log: whose base is that of the log densities.
        """
        place(block, shift, log(self.own))
        place(block, shift + 1, log(self.following))
        place(block, shift + 1 - self.posteriors, log(self.following))  # of the last sample: the first posterior
        return block


def place(block: Tensor, offset: int, value: float) -> None:
    """Add a value to a diagonal; beyond the block there is none."""
    block.diagonal(offset, 0, -1).add_(value)


def check_estimator(estimator: str) -> None:
    """Refuse an estimator that does not exist."""
    if estimator not in get_args(Estimator):
        raise InputError(f"estimator {estimator!r}: must be one of {', '.join(get_args(Estimator))}")
