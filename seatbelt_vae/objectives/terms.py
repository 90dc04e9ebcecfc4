"""The parts of an objective, per example and in nats, and the one place where they are weighted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self, get_args

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE

LayerKL = Literal["sample", "paper"]
FreeBitsPer = Literal["dimension", "layer"]


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

    def penalised(self, coefficient: float, name: str, term: Tensor | None) -> Self:
        """The terms with the mean of one more in the loss; none leaves them as they are."""
        if term is None:
            return self
        return replace(self, loss=self.loss + coefficient * term.mean(), others={**self.others, name: term})

    def summary(self) -> dict[str, float]:
        """Batch means of every term, by name: ``loss``, ``elbo``, ``log_likelihood``, ``kl_1`` … ``kl_L`` and the rest.

        Example:
            >>> terms = Terms(torch.tensor([-3.0]), (torch.tensor([[0.5, 0.5]]),), torch.tensor(4.0))
            >>> terms.summary()
            {'loss': 4.0, 'elbo': -4.0, 'log_likelihood': -3.0, 'kl_1': 1.0}
        """
        named: dict[str, Tensor] = {"loss": self.loss, "elbo": self.elbo, "log_likelihood": self.log_likelihood}
        named |= {f"kl_{layer}": kl.sum(-1) for layer, kl in enumerate(self.kl, start=1)}
        for name in ("mutual_information", "total_correlation", "dimension_wise_kl"):
            value = getattr(self, name)
            if value is not None:
                named[name] = value
        named |= self.others
        # One transfer for all, where the terms live on an accelerator (not every one of which has float64).
        means = torch.stack([value.detach().mean() for value in named.values()]).tolist()
        return dict(zip(named, means, strict=True))


@dataclass(frozen=True)
class Batch:
    """All that a training step gives to an objective.

    Attributes:
        x: clean images, (B, C, H, W).
        noise: standard normal (B, D_l) of each layer, for the samples of the posterior.
        generator: for whatever else is random in this step; a function of the seed and the step.
        bounds: of the pixels.
    """

    x: Tensor
    noise: Sequence[Tensor]
    generator: torch.Generator
    bounds: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def of(cls, model: HierarchicalVAE, x: Tensor, seed: int = 0) -> Self:
        """A batch of images with noise of a seed."""
        generator = torch.Generator(x.device).manual_seed(seed)
        return cls(x, model.draw_noise(len(x), generator), generator)


class Objective(Protocol):
    """What training needs, in two calls: a pass over a batch, and the terms of what the pass gave.

    Most objectives take the model's own pass. Those that make a model robust encode other images than those that are
    to be explained, or add a term that needs further passes; they wrap any other objective.

    Attributes:
        tc_samples: over how many examples log q̂ is estimated; None for the gradient batch alone.
        adversary: a network trained beside the model on its latents (FactorVAE), else None.
    """

    @property
    def tc_samples(self) -> int | None: ...  # noqa: D102

    @property
    def adversary(self) -> nn.Module | None: ...  # noqa: D102

    def at(self, step: int, steps: int | None = None) -> Self:
        """The objective in force at a training step out of `steps`, counted from 0: warm-up, annealing and ramps."""
        ...

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """Pass a batch through the model; it is in training mode, and under autocast where training is."""
        ...

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x (B, C, H, W) out of a training set of `data_size`."""
        ...


def layer_kls(encoding: Encoding, layer_kl: LayerKL = "sample") -> tuple[Tensor, ...]:
    r"""The KL of every layer and dimension, (B, D_l) each, in nats.

    For l < L the Monte-Carlo log ratio at the sampled z,

    .. math:: \log q(z_l|\cdot) - \log p(z_l|z_{>l}),

    which is unbiased; for the top KL(q(z_L|·) ‖ N(0, I)) in closed form.

    ``layer_kl="paper"`` takes the closed form for every layer, as equation 9 of the paper prints it. In a bottom-up
    posterior z_{l+1} is drawn from z_l, so that is **not** the ELBO: it over-penalises (in a linear-Gaussian example by
    4 nats). For a top-down posterior (``ladder``, ``top-down``) it is the ELBO with less variance.

    Raises:
        InputError: an unknown `layer_kl`.

    Example:
        >>> from torch.distributions import Normal
        >>> zero, one = Normal(torch.zeros(1, 2), 1.0), Normal(torch.ones(1, 2), 1.0)
        >>> layer_kls(Encoding((one,), (torch.zeros(1, 2),), (zero,), zero))
        (tensor([[0.5000, 0.5000]]),)
    """
    if layer_kl not in get_args(LayerKL):
        raise InputError(f"layer_kl {layer_kl!r}: must be 'sample' or 'paper'")
    pairs = list(zip(encoding.q, encoding.p, encoding.z, strict=True))
    analytic = [kl_divergence(q, p) for q, p, _ in (pairs if layer_kl == "paper" else pairs[-1:])]
    if layer_kl == "paper":
        return tuple(analytic)
    return (*(q.log_prob(z) - p.log_prob(z) for q, p, z in pairs[:-1]), *analytic)


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
        if self.free_bits_per not in ("dimension", "layer"):
            raise InputError(f"free_bits_per {self.free_bits_per!r}: must be 'dimension' or 'layer'")
        if self.layer_kl not in get_args(LayerKL):
            raise InputError(f"layer_kl {self.layer_kl!r}: must be 'sample' or 'paper'")
        check_counts_of_steps(warm_up=self.warm_up, anneal=getattr(self, "anneal", 0))
        if self.tc_samples is not None and self.tc_samples < 1:
            raise InputError(f"tc_samples {self.tc_samples}: must be at least 1, or None for the gradient batch")

    @property
    def tc_samples(self) -> int | None:
        """Over how many examples log q̂ is estimated; None for the gradient batch."""
        return None

    @property
    def adversary(self) -> nn.Module | None:
        """A network trained beside the model; none by default."""
        return None

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
        log_likelihood, kl = encoding.likelihood.log_prob(x), layer_kls(encoding, self.layer_kl)
        below_top = sum((self.floored(layer) for layer in kl[:-1]), start=log_likelihood.new_zeros(()))
        regulariser = below_top + top_weight * self.floored(kl[-1])
        for coefficient, term in penalties:
            if coefficient:  # β = 1 gives the very same numbers as the ELBO
                regulariser = regulariser + coefficient * term.mean()
        return Terms(log_likelihood, kl, self.warmth * regulariser - log_likelihood.mean(), **named)

    def floored(self, kl: Tensor) -> Tensor:
        """Σ of max(free bits, batch-mean KL) over dimensions, or over the layer as a whole; a scalar."""
        mean = kl.mean(0) if self.free_bits_per == "dimension" else kl.sum(-1).mean()
        return (mean if self.free_bits is None else mean.clamp(min=self.free_bits)).sum()


def check_counts_of_steps(**counts: int) -> None:
    """Refuse negative lengths of ramps.

    Raises:
        InputError: one is below 0.

    Example:
        >>> check_counts_of_steps(warm_up=0, anneal=100)
    """
    for name, count in counts.items():
        if not count >= 0:
            raise InputError(f"{name} {count}: must be zero or more steps")


def ramp(step: int | None, length: int) -> float:
    """Linear from 0 at step 0 to 1 at step `length`; 1 for no step or no length.

    Example:
        >>> ramp(0, 10), ramp(5, 10), ramp(20, 10), ramp(None, 10)
        (0.0, 0.5, 1.0, 1.0)
    """
    return 1.0 if step is None or length == 0 else min(1.0, step / length)
