"""Size of the weights, which disentangling was found to shift from decoder to encoder (Table 1 of the paper)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class WeightNorms:
    """L2 norm of all weights of the encoder (posterior) and of the decoder (generative and likelihood). No unit."""

    encoder: float
    decoder: float

    def relative_change(self, since: "WeightNorms") -> "WeightNorms":
        """This over an earlier one, minus 1: +0.05 is 5 % more. NaN where there was no weight.

        Example:
            >>> WeightNorms(11.0, 3.0).relative_change(since=WeightNorms(10.0, 4.0)).decoder
            -0.25
        """
        return WeightNorms(
            encoder=_change(self.encoder, since.encoder),
            decoder=_change(self.decoder, since.decoder),
        )


def weight_norms(model: Any, *, gains: bool = False) -> WeightNorms:
    r"""L2 norm :math:`\sqrt{\sum w^2}` over all weights of the encoder and of the decoder.

    Weights are the parameters called ``weight`` with two or more axes (matrices and kernels). Biases do not count;
    neither do the gains of batch normalisation, which are called ``weight`` too but have one axis, unless `gains`.
    Neither direction is in itself more robust: the paper reports how the norms change from β = 1 to 10.

    Args:
        model: has modules ``posterior``, ``generative`` and ``likelihood``.
        gains: count the gains of normalisation layers.

    References:
        Willetts et al. 2019, Table 1.

    Example:
        >>> from types import SimpleNamespace
        >>> layer = nn.Linear(2, 2)
        >>> _ = nn.init.ones_(layer.weight)
        >>> weight_norms(SimpleNamespace(posterior=layer, generative=nn.Identity(), likelihood=nn.BatchNorm2d(3)))
        WeightNorms(encoder=2.0, decoder=0.0)
    """
    axes = 2
    if gains:
        axes = 1
    return WeightNorms(
        encoder=_norm(_weights([model.posterior], axes)),
        decoder=_norm(_weights([model.generative, model.likelihood], axes)),
    )


def _weights(modules: list[nn.Module], axes: int) -> Iterator[nn.Parameter]:
    """Every weight once, also where modules share it."""
    for name, parameter in nn.ModuleList(modules).named_parameters():
        if name.split(".")[-1] == "weight" and parameter.dim() >= axes:
            yield parameter


def _norm(weights: Iterator[nn.Parameter]) -> float:
    squares = 0.0
    for weight in weights:
        squares += float(weight.detach().double().square().sum())
    return math.sqrt(squares)


def _change(now: float, before: float) -> float:
    if before == 0:
        return math.nan
    return now / before - 1
