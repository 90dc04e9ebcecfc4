"""Robustness at equal quality: a multiplier that holds the reconstruction error at a given level."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.models.modes import evaluating
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.protocol import Batch
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.wrapper import Wrapper, first

NAME = "mse_excess"


class Multiplier(nn.Module):
    r"""The multiplier ν of a constraint, found by gradient ascent.

    .. math:: \nu \leftarrow \max(0, \nu + \eta \, c)

    Args:
        rate: η.

    Example:
        >>> float(Multiplier(rate=1.0).nu)
        0.0
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.value = nn.Parameter(torch.zeros(()))

    @property
    def nu(self) -> Tensor:
        """ν ≥ 0, without gradient."""
        return self.value.detach().clamp(min=0)

    def optimiser(self) -> Optimizer:
        """Gradient ascent of rate η."""
        return SGD(self.parameters(), lr=self.rate, maximize=True)

    def lagrangian(self, excess: Tensor) -> Tensor:
        """ν c, of which the gradient in ν is c; a scalar. At most 1 counts: at first every model is far off."""
        with torch.no_grad():
            self.value.clamp_(min=0)  # what fell below 0 in the last step
        return self.value * excess.detach().clamp(max=1.0)


@dataclass(frozen=True)
class HoldMSE(Wrapper):
    r"""Any objective, subject to a mean squared error of the reconstruction, such as a plain VAE's.

    .. math:: \text{base} - \nu \Big(\frac{\mathrm{MSE}}{\tau} - 1\Big), \qquad
        \nu \leftarrow \max\Big(0, \nu + \eta \Big(\frac{\mathrm{MSE}}{\tau} - 1\Big)\Big)

    The error is that of clean images, reconstructed in evaluation mode from the means. Around an adversarial objective
    this asks for as much robustness as the given quality leaves room for.

    Args:
        base: the objective that is wrapped.
        mse: τ, mean squared error of a pixel of training images.
        rate: η, nats a step.
        part: share of each batch on which the error is taken.

    References:
        LORE 2025, Lagrangian-Optimized Robust Embeddings (arXiv 2505.18884).

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> objective = HoldMSE(ELBO(), mse=0.01)
        >>> sorted(objective(objective.encode(model, Batch.of(model, x)), x, data_size=100).others)
        ['mse_excess', 'multiplier']
    """

    mse: float = dataclasses.field(kw_only=True)
    rate: float = 0.1
    part: float = 0.25
    multiplier: Multiplier | None = dataclasses.field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.rate, "rate")
        if not 0 < self.mse < float("inf"):
            raise InputError(f"mse {self.mse}: must be a positive mean squared error of a pixel")
        if not 0 < self.part <= 1:
            raise InputError(f"part {self.part}: must be a share of the batch, above 0 and at most 1")
        if self.base.adversary is not None:
            raise InputError(f"base: {type(self.base).__name__} has an adversary of its own, there is room for one")
        if self.multiplier is None:
            object.__setattr__(self, "multiplier", Multiplier(self.rate))

    @property
    def adversary(self) -> Multiplier:
        """The multiplier."""
        assert self.multiplier is not None
        return self.multiplier

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, and the error of some of its clean images."""
        encoding = self.base.encode(model, batch)
        x = first(self.part, batch.x)
        with evaluating(model):
            error = (model.reconstruct(x) - x).square().flatten(1).mean(1)
        return encoding.with_term(NAME, error / self.mse - 1)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The base's terms, and ν times the mean excess."""
        nu = self.adversary.nu
        terms = self.base(encoding, x, data_size)
        terms = terms.penalised(nu, encoding, NAME)
        return dataclasses.replace(terms, others={**terms.others, "multiplier": nu[None]})

    def adversary_loss(self, encoding: Encoding, generator: torch.Generator) -> Tensor:
        """What the multiplier climbs."""
        return self.adversary.lagrangian(encoding.terms[NAME].mean())
