r"""Divergences r(q, t) between the posterior of an attacked image and that of the target, per row, in nats or squared
latent units.

A divergence of your own is any function of two Normals of batch shape (B, D) that returns (B,):

    >>> def l1_means(q: Normal, t: Normal) -> Tensor:
    ...     return (q.loc - t.loc).abs().sum(-1)
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError

Divergence = Callable[[Normal, Normal], Tensor]


def kl(q: Normal, t: Normal) -> Tensor:
    r"""The paper's choice: how badly the target's posterior codes samples of the attacked one, (B,) in nats.

    .. math:: KL(q \,\|\, t) = \tfrac12 \sum_d \Big[ \frac{\sigma_q^2 + (\mu_q - \mu_t)^2}{\sigma_t^2} - 1
        - \log \frac{\sigma_q^2}{\sigma_t^2} \Big]
        = \sum_d \Big[ \tfrac12 \frac{(\mu_q - \mu_t)^2}{\sigma_t^2} + \tfrac12 u^2 + u - \log(1 + u) \Big],
        \qquad u = \frac{\sigma_q - \sigma_t}{\sigma_t}

    The last form has no large terms that cancel: where an attack succeeds the KL is far below float32's resolution of
    the first one.

    References:
        Tabacof et al. 2016; Gondim-Ribeiro et al. 2018.

    Example:
        >>> kl(Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2)))
        tensor([1.])
    """
    u = (q.scale - t.scale) / t.scale
    near = u.abs() < 0.5  # far away log(1 + u) would lose a small σ_q
    log_ratio = torch.where(near, torch.where(near, u, 0.0).log1p(), (q.scale / t.scale).log())
    return (0.5 * (((q.loc - t.loc) / t.scale) ** 2 + u**2) + (u - log_ratio)).sum(-1)


def reverse_kl(q: Normal, t: Normal) -> Tensor:
    r"""KL(t ‖ q), (B,) in nats.

    Example:
        >>> reverse_kl(Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2)))
        tensor([1.])
    """
    return kl(t, q)


def skl(q: Normal, t: Normal) -> Tensor:
    r"""Symmetric KL: KL(q ‖ t) + KL(t ‖ q), (B,) in nats.

    References:
        Kuzina et al. 2021, Diagnosing vulnerability of variational auto-encoders to adversarial attacks.

    Example:
        >>> skl(Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2)))
        tensor([2.])
    """
    return kl(q, t) + kl(t, q)


def w2(q: Normal, t: Normal) -> Tensor:
    r"""The 2-Wasserstein distance of diagonal Gaussians, (B,) in latent units.

    .. math:: \sqrt{\|\mu_q - \mu_t\|^2 + \|\sigma_q - \sigma_t\|^2}

    References:
        Willetts et al. 2021, Improving VAEs' robustness to adversarial attack.

    Example:
        >>> w2(Normal(torch.full((1, 1), 3.0), torch.full((1, 1), 5.0)), Normal(torch.zeros(1, 1), torch.ones(1, 1)))
        tensor([5.])
    """
    return torch.linalg.vector_norm(torch.cat([q.loc - t.loc, q.scale - t.scale], dim=-1), dim=-1)


def l2_means(q: Normal, t: Normal) -> Tensor:
    r"""Squared distance of the means ‖μ_q - μ_t‖², (B,) in squared latent units.

    References:
        Kos, Fischer & Song 2018, Adversarial examples for generative models (latent attack).

    Example:
        >>> l2_means(Normal(torch.ones(1, 2), torch.ones(1, 2)), Normal(torch.zeros(1, 2), torch.ones(1, 2)))
        tensor([2.])
    """
    return ((q.loc - t.loc) ** 2).sum(-1)


L2_SAMPLES = "l2-samples"
"""Squared distance of samples z = μ + σ·ε, the same ε on both sides; the attack draws it (:func:`l2_means` of z)."""

DIVERGENCES: dict[str, Divergence] = {
    "kl": kl,
    "reverse-kl": reverse_kl,
    "skl": skl,
    "w2": w2,
    "l2-means": l2_means,
    L2_SAMPLES: l2_means,
}
"""Divergences by name; a new one is a function and one line here."""


def find_divergence(divergence: str | Divergence) -> Divergence:
    """Look a divergence up by name; a function is returned as it is.

    Raises:
        InputError: an unknown name.

    Example:
        >>> find_divergence("kl") is kl
        True
    """
    if callable(divergence):
        return divergence
    if divergence not in DIVERGENCES:
        raise InputError(f"divergence {divergence!r}: must be one of {', '.join(DIVERGENCES)}, or a function of (q, t)")
    return DIVERGENCES[divergence]
