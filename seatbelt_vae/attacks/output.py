"""The output attack: make the reconstruction of x + d that of the target."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from torch import Tensor
from torch.distributions import Distribution, Normal, kl_divergence

from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.part import AttackObjective, check_choice, check_count
from seatbelt_vae.attacks.protocol import Attackable, as_samples, distorted, encode_paths, log_likelihood, prior_of

SAMPLES = 4
"""Sets of random numbers for the ELBO, unless told otherwise."""


@dataclass(frozen=True)
class Output(AttackObjective):
    r"""The negative ELBO of the target under the posterior of x + d, or the distance of its reconstruction.

    .. math::
        \text{elbo:}\quad r(d) = \frac1S \sum_s -\log p(x_t|z_s) + KL_s(q(z|x+d) \,\|\, p(z))

        \text{l2:}\quad r(d) = \frac1S \sum_s \| g(z_s) - x_t \|_2^2, \qquad z_s \sim q(z|x+d)

    The KL of the layers below the top is the log ratio at the sample, that of the top analytic. (Equation 12 of the
    paper prints the opposite sign of the ELBO: a misprint, the quantity is minimised.)

    Args:
        divergence: "elbo" or "l2".
        samples: sets of random numbers, drawn once per pair, along which encodings are sampled; 0 decodes the means.
            None: 4 for elbo, 0 for l2.

    Raises:
        InputError: an unknown name, samples below 0.

    References:
        elbo: Willetts et al. 2020, equation 12.
        l2: Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial attacks on variational autoencoders.

    Example:
        >>> Output().draws, Output("l2").draws
        (4, 0)
    """

    name: ClassVar[str] = "output"
    divergence: Literal["elbo", "l2"] = "elbo"
    samples: int | None = None

    def __post_init__(self) -> None:
        check_choice("divergence", self.divergence, tuple(MEASURES))
        check_count("samples", self.samples, least=0)

    @property
    def draws(self) -> int:
        """Sets of random numbers for each pair."""
        if self.samples is not None:
            return self.samples
        if self.divergence == "l2":
            return 0
        return SAMPLES

    def resolved(self, depth: int, decoder_sees: str) -> Self:
        """With the number of samples."""
        return replace(self, samples=self.draws)

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> "OutputObjective":
        """The distance from the target as a function of d."""
        return OutputObjective(self, model, source, target, noise)


class OutputObjective:
    """How far what is decoded from the posterior of x + d is from the target.

    Args:
        settings: how far is measured how.
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        noise: S sets per pair, each layer (P, S, …); None in it decodes the means.
    """

    def __init__(self, settings: Output, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> None:
        self.model = model
        self.source = source
        self.target = target
        self.noise = noise.source
        self.samples = max(1, settings.draws)
        self.measure = MEASURES[settings.divergence]

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """The distance for distortions (B, n) of the given pairs (B,): (B,)."""
        x = distorted(self.source, d, pairs)
        target = self.target[pairs].repeat_interleave(self.samples, dim=0)
        q, noise = encode_paths(self.model, x, self.noise, pairs)
        value = self.measure(self.model, q, as_samples(q, noise), target)
        return value.view(-1, self.samples).mean(1)


def negative_elbo(model: Attackable, q: Sequence[Normal], z: Sequence[Tensor], target: Tensor) -> Tensor:
    """Minus the ELBO of target images under posteriors q at their samples z, (B,) in nats."""
    return hierarchical_kl(q, prior_of(model, z), z) - log_likelihood(model, z, target)


def squared_distance(model: Attackable, q: Sequence[Normal], z: Sequence[Tensor], target: Tensor) -> Tensor:
    """The squared distance of mean images from the targets, (B,)."""
    gap = model.decode(z).mean - target
    return gap.square().flatten(1).sum(1)


MEASURES = {"elbo": negative_elbo, "l2": squared_distance}


def hierarchical_kl(q: Sequence[Normal], p: Sequence[Distribution], z: Sequence[Tensor]) -> Tensor:
    """KL(q ‖ p) of a hierarchy at samples z: log ratios below the top, analytic at the top; (B,) in nats.

    A prior that is no Normal, such as a mixture, takes the log ratio at the top, too.

    Example:
        >>> import torch
        >>> q, p = Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2))
        >>> hierarchical_kl([q], [p], [torch.zeros(1, 2)])
        tensor([1.])
    """
    if isinstance(p[-1], Normal):
        total = _a_row(kl_divergence(q[-1], p[-1]))
    else:
        total = _log_ratio(q[-1], p[-1], z[-1])
    for q_l, p_l, z_l in zip(q[:-1], p[:-1], z[:-1], strict=True):
        total = total + _log_ratio(q_l, p_l, z_l)
    return total


def _log_ratio(q: Normal, p: Distribution, z: Tensor) -> Tensor:
    """The log ratio of q and p at z, (B,)."""
    return _a_row(q.log_prob(z)) - _a_row(p.log_prob(z))


def _a_row(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1).sum(1)
