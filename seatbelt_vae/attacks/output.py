"""The output attack: make the reconstruction of x + d that of the target."""

from collections.abc import Sequence

from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.attacks.protocol import Attackable, as_samples, encode_paths, prior_of


class OutputObjective:
    r"""The negative ELBO of the target under the attacked image's posterior.

    .. math:: r(d) = \frac1S \sum_s -\log p(x_t|z_s) + KL_s(q(z|x+d) \,\|\, p(z)), \qquad z_s \sim q(z|x+d)

    The KL of the layers below the top is the log ratio at the sample, that of the top analytic. (Equation 12 of the
    paper prints the opposite sign: a misprint, the quantity is minimised.)

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        noise: S sets per pair, each layer (P, S, …), drawn once so that r is a function; None decodes the means.
    """

    def __init__(
        self, model: Attackable, source: Tensor, target: Tensor, noise: Sequence[Tensor] | None = None
    ) -> None:
        self.model, self.source, self.target, self.noise = model, source, target, noise
        self.samples = 1 if noise is None else noise[0].shape[1]

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """The negative ELBO of the targets, for distortions (B, n) of the given pairs (B,): (B,) in nats."""
        x = self.source[pairs] + d.view(-1, *self.source.shape[1:])
        target = self.target[pairs].repeat_interleave(self.samples, dim=0)
        q, noise = encode_paths(self.model, x, self.noise, pairs)
        z = as_samples(q, noise)
        value = hierarchical_kl(q, prior_of(self.model, z), z) - self.model.decode(z).log_prob(target)
        return value.view(-1, self.samples).mean(1)


class OutputDistance:
    r"""The squared distance of the reconstruction of x + d from the target.

    .. math:: r(d) = \frac1S \sum_s \| g(z_s) - x_t \|_2^2, \qquad z_s \sim q(z|x+d)

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        noise: S sets per pair, each layer (P, S, …); None decodes the means.

    References:
        Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial attacks on variational autoencoders.
    """

    def __init__(
        self, model: Attackable, source: Tensor, target: Tensor, noise: Sequence[Tensor] | None = None
    ) -> None:
        self.model, self.source, self.target, self.noise = model, source, target, noise
        self.samples = 1 if noise is None else noise[0].shape[1]

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """The squared distances for distortions (B, n) of the given pairs (B,): (B,)."""
        x = self.source[pairs] + d.view(-1, *self.source.shape[1:])
        z = as_samples(*encode_paths(self.model, x, self.noise, pairs))
        gap = self.model.decode(z).mean - self.target[pairs].repeat_interleave(self.samples, dim=0)
        return gap.square().flatten(1).sum(1).view(-1, self.samples).mean(1)


def hierarchical_kl(q: Sequence[Normal], p: Sequence[Normal], z: Sequence[Tensor]) -> Tensor:
    """KL(q ‖ p) of a hierarchy at samples z: log ratios below the top, analytic at the top; (B,) in nats.

    Example:
        >>> import torch
        >>> q, p = Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2))
        >>> hierarchical_kl([q], [p], [torch.zeros(1, 2)])
        tensor([1.])
    """
    total = kl_divergence(q[-1], p[-1]).flatten(1).sum(1)
    for q_l, p_l, z_l in zip(q[:-1], p[:-1], z[:-1], strict=True):
        total = total + (q_l.log_prob(z_l) - p_l.log_prob(z_l)).flatten(1).sum(1)
    return total
