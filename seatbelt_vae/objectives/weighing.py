"""The one place where the parts of an objective are weighted, and the settings that every objective shares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.protocol import Adversary, Batch
from seatbelt_vae.objectives.terms import LayerKL, Terms, layer_kls

FreeBitsPer = Literal["dimension", "layer"]


@dataclass(frozen=True, kw_only=True)
class ELBOTerms:
    """The settings that every objective shares: free bits, warm-up, and the form of the layers' KL.

    Attributes:
        free_bits: floor in nats under the batch-mean KL of each dimension or layer; None for no floor.
        free_bits_per: ``dimension`` or ``layer``.
        warm_up: steps over which the weight of the KL rises linearly from 0 to 1.
        layer_kl: ``sample`` (the ELBO) or ``paper``, see :func:`layer_kls`.
        step: the training step whose weights are in force; None for the final ones.
    """

    free_bits: float | None = None
    free_bits_per: FreeBitsPer = "dimension"
    warm_up: int = 0
    layer_kl: LayerKL = "sample"
    step: int | None = None

    def __post_init__(self) -> None:
        if self.free_bits is not None and not self.free_bits >= 0:
            raise InputError(f"free_bits {self.free_bits}: must be zero or more nats")
        if self.free_bits_per not in get_args(FreeBitsPer):
            raise InputError(f"free_bits_per {self.free_bits_per!r}: must be 'dimension' or 'layer'")
        if self.layer_kl not in get_args(LayerKL):
            raise InputError(f"layer_kl {self.layer_kl!r}: must be 'sample' or 'paper'")
        for name in ("warm_up", "anneal"):
            steps = getattr(self, name, 0)
            if not steps >= 0:
                raise InputError(f"{name} {steps}: must be zero or more steps")
        if self.tc_samples is not None and self.tc_samples < 1:
            raise InputError(f"tc_samples {self.tc_samples}: must be at least 1, or None for the gradient batch")

    @property
    def tc_samples(self) -> int | None:
        """Over how many examples log q̂ is estimated; None for the gradient batch."""
        return None

    @property
    def adversary(self) -> Adversary | None:
        """What is trained beside the model; nothing by default."""
        return None

    def adversary_loss(self, encoding: Encoding, generator: torch.Generator) -> Tensor:
        """Nothing is trained beside the model."""
        raise NotImplementedError(f"{type(self).__name__} has no adversary")

    def at(self, step: int, steps: int | None = None) -> Self:
        """The objective in force at a training step."""
        return replace(self, step=step)

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The model's own pass over the batch."""
        encoding: Encoding = model(batch.x, batch.noise)
        return encoding

    @property
    def warmth(self) -> float:
        """The weight of the KL at this step, in [0, 1]."""
        return ramp(self.step, self.warm_up)

    def weigh(
        self,
        encoding: Encoding,
        x: Tensor,
        penalties: Sequence[tuple[float, Tensor]] = (),
        *,
        top_weight: float = 1.0,
        **named: Any,
    ) -> Terms:
        r"""Weight the terms: the one place where a loss is made.

        .. math:: -\overline{\log p(x|z)} + w \Big( \sum_{l<L} \mathrm{FB}(\overline{KL_l})
            + b \, \mathrm{FB}(\overline{KL_L}) + \sum_k c_k \overline{T_k} \Big)

        with w the warm-up, FB the free bits and b the weight of the top layer; the penalties stay outside of them.

        Args:
            encoding: a model's pass over x.
            x: images, (B, C, H, W).
            penalties: pairs of a coefficient c and a per-example term (B,) in nats.
            top_weight: b; 1 gives the very same numbers as no weight.
            named: the fields of :class:`Terms` that the objective can tell.
        """
        log_likelihood = encoding.likelihood.log_prob(x)
        kl = layer_kls(encoding, self.layer_kl)
        regulariser = log_likelihood.new_zeros(())
        for below_top in kl[:-1]:
            regulariser = regulariser + self.floored(below_top)
        regulariser = regulariser + top_weight * self.floored(kl[-1])
        for coefficient, term in penalties:
            if coefficient:  # β = 1 gives the very same numbers as the ELBO
                regulariser = regulariser + coefficient * term.mean()
        loss = self.warmth * regulariser - log_likelihood.mean()
        return Terms(log_likelihood, kl, loss, **named)

    def floored(self, kl: Tensor) -> Tensor:
        """Σ of max(free bits, batch-mean KL) over dimensions, or over the layer as a whole; a scalar."""
        if self.free_bits_per == "dimension":
            mean = kl.mean(0)
        else:
            mean = kl.sum(-1).mean()
        if self.free_bits is not None:
            mean = mean.clamp(min=self.free_bits)
        return mean.sum()


def ramp(step: int | None, length: int) -> float:
    """Linear from 0 at step 0 to 1 at step `length`; 1 for no step or no length."""
    if step is None or length == 0:
        return 1.0
    return min(1.0, step / length)
