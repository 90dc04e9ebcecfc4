"""Size of the weights, which disentangling was found to shift from decoder to encoder (Table 1 of the paper)."""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class WeightNorms:
    """L2 norm of all weights of the encoder (posterior) and of the decoder (generative and likelihood). No unit."""

    encoder: float
    decoder: float


def weight_norms(model: Any) -> WeightNorms:
    r"""L2 norm :math:`\sqrt{\sum w^2}` over all weights of the encoder and of the decoder.

    Weights are the parameters called ``weight`` with two or more axes (matrices and kernels); a shared one counts
    once. Biases and the gains of batch normalisation do not count. Neither direction is in itself more robust: the
    paper reports how the norms change from β = 1 to 10.

    Args:
        model: has modules ``posterior``, ``generative`` and ``likelihood``.

    References:
        Willetts et al. 2019, Table 1.

    Example:
        >>> from types import SimpleNamespace
        >>> layer = nn.Linear(2, 2)
        >>> _ = nn.init.ones_(layer.weight)
        >>> weight_norms(SimpleNamespace(posterior=layer, generative=nn.Identity(), likelihood=nn.BatchNorm2d(3)))
        WeightNorms(encoder=2.0, decoder=0.0)
    """
    return WeightNorms(
        encoder=_norm(model.posterior),
        decoder=_norm(model.generative, model.likelihood),
    )


def _norm(*modules: nn.Module) -> float:
    squares = 0.0
    for name, parameter in nn.ModuleList(modules).named_parameters():
        if name.endswith(".weight") and parameter.dim() > 1:
            squares += float(parameter.detach().double().square().sum())
    return math.sqrt(squares)
