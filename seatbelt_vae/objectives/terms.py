"""The parts of an objective, per example and in nats."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from seatbelt_vae.models.hierarchical import Encoding

LayerKL = Literal["sample", "paper"]


@dataclass(frozen=True)
class Terms:
    """What one batch gave, before and after weighting.

    Attributes:
        log_likelihood: log p(x|z), (B,).
        kl: for each layer (B, D_l): log q(z_l|·) - log p(z_l|z_{>l}) at the sample; analytic for the top.
        loss: what is minimised, a scalar in nats per image.
        mutual_information: log q(z_L|u) - log q̂(z_L), (B,), where the objective estimates q̂.
        total_correlation: log q̂(z_L) - Σ_d log q̂_d(z_{L,d}), (B,), likewise.
        dimension_wise_kl: Σ_d log q̂_d(z_{L,d}) - log p(z_L), (B,), likewise.
        others: further per-example terms by name, (B,).
    """

    log_likelihood: Tensor
    kl: tuple[Tensor, ...]
    loss: Tensor
    mutual_information: Tensor | None = None
    total_correlation: Tensor | None = None
    dimension_wise_kl: Tensor | None = None
    others: dict[str, Tensor] = field(default_factory=dict)

    @property
    def layer_kl(self) -> Tensor:
        """The KL of each layer, (B, L), bottom first."""
        return torch.stack([kl.sum(-1) for kl in self.kl], dim=-1)

    @property
    def elbo(self) -> Tensor:
        """Log p(x|z) - Σ_l KL_l, unweighted, (B,)."""
        return self.log_likelihood - self.layer_kl.sum(-1)

    @property
    def decomposition(self) -> dict[str, Tensor]:
        """The parts of the top layer's KL that the objective estimates, by name."""
        named: dict[str, Tensor] = {}
        for name in ("mutual_information", "total_correlation", "dimension_wise_kl"):
            value = getattr(self, name)
            if value is not None:
                named[name] = value
        return named

    def penalised(self, coefficient: float | Tensor, encoding: Encoding, name: str) -> Self:
        """The terms, with the mean of one more in the loss where the encoding has it."""
        if name not in encoding.terms:
            return self
        term = encoding.terms[name]
        loss = self.loss + coefficient * term.mean()
        return replace(self, loss=loss, others={**self.others, name: term})

    def summary(self) -> dict[str, float]:
        """Batch means of every term, by name: ``loss``, ``elbo``, ``log_likelihood``, ``kl_1`` … ``kl_L`` and the rest.

        Example:
            >>> terms = Terms(torch.tensor([-3.0]), (torch.tensor([[0.5, 0.5]]),), torch.tensor(4.0))
            >>> terms.summary()
            {'loss': 4.0, 'elbo': -4.0, 'log_likelihood': -3.0, 'kl_1': 1.0}
        """
        named = {"loss": self.loss, "elbo": self.elbo, "log_likelihood": self.log_likelihood}
        for layer, kl in enumerate(self.kl, start=1):
            named[f"kl_{layer}"] = kl.sum(-1)
        named |= self.decomposition
        named |= self.others
        # One transfer for all, where the terms live on an accelerator (not every one of which has float64).
        means = torch.stack([value.detach().mean() for value in named.values()]).tolist()
        return dict(zip(named, means, strict=True))


def layer_kls(encoding: Encoding, layer_kl: LayerKL = "sample") -> tuple[Tensor, ...]:
    r"""The KL of every layer and dimension, (B, D_l) each, in nats.

    For l < L the Monte-Carlo log ratio at the sampled z,

    .. math:: \log q(z_l|\cdot) - \log p(z_l|z_{>l}),

    which is unbiased; for the top KL(q(z_L|·) ‖ N(0, I)) in closed form.

    ``layer_kl="paper"`` takes the closed form for every layer, as equation 9 of the paper prints it. In a bottom-up
    posterior z_{l+1} is drawn from z_l, so that is **not** the ELBO: it over-penalises (in a linear-Gaussian example by
    4 nats). For a top-down posterior (``ladder``, ``top-down``) it is the ELBO with less variance.

    Example:
        >>> from torch.distributions import Normal
        >>> zero, one = Normal(torch.zeros(1, 2), 1.0), Normal(torch.ones(1, 2), 1.0)
        >>> layer_kls(Encoding((one,), (torch.zeros(1, 2),), (zero,), zero))
        (tensor([[0.5000, 0.5000]]),)
    """
    kls = []
    top = len(encoding.q) - 1
    for layer, (q, p, z) in enumerate(zip(encoding.q, encoding.p, encoding.z, strict=True)):
        if layer == top or layer_kl == "paper":
            kls.append(kl_divergence(q, p))
        else:
            kls.append(q.log_prob(z) - p.log_prob(z))
    return tuple(kls)
