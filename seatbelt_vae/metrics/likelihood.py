"""How well a model explains images: the evidence lower bound with its parts, and the tighter importance bound."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.metrics.passes import Images, Pass, evaluating, passes, sparing
from seatbelt_vae.metrics.statistics import Estimate, summarise
from seatbelt_vae.progress import progress_bar


@dataclass(frozen=True)
class EvidenceBound:
    """The ELBO of each image and its parts, in nats, float64 on the CPU.

    Attributes:
        log_likelihood: E_q log p(x|z), shape (N,).
        layer_kl: E_q [log q(z_l|·) − log p(z_l|·)], shape (N, L), bottom first.
        dimension_kl: the same per latent dimension, averaged over the images, one (D_l,) per layer.
    """

    log_likelihood: Tensor
    layer_kl: Tensor
    dimension_kl: tuple[Tensor, ...]

    @property
    def elbo(self) -> Tensor:
        """ELBO of each image in nats, shape (N,); never weighted by β."""
        return self.log_likelihood - self.layer_kl.sum(-1)

    def summary(self) -> dict[str, float]:
        """Averages over images: elbo, log_likelihood, kl, and kl_1 … kl_L bottom first; each with its ``_error``."""
        parts = {
            "elbo": Estimate.of(self.elbo),
            "log_likelihood": Estimate.of(self.log_likelihood),
            "kl": Estimate.of(self.layer_kl.sum(-1)),
        }
        for layer, kl in enumerate(self.layer_kl.unbind(-1), start=1):
            parts[f"kl_{layer}"] = Estimate.of(kl)
        return summarise(parts)


@sparing
def elbo(
    model: Any,
    x: Images,
    samples: int = 1,
    *,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> EvidenceBound:
    r"""The evidence lower bound, without any β, and its parts per layer: nats, higher is a better model.

    .. math:: E_q\Big[\log p(x|z) - \sum_{l<L} \big(\log q(z_l|\cdot) - \log p(z_l|z_{>l})\big)\Big]
        - E_q\, KL(q(z_L|\cdot) \,\|\, N(0, I))

    Below the top the log-ratio is taken at the sampled z. The analytic KL there would not give the ELBO, since
    z_{l+1} depends on z_l. The value does not depend on `batch_size`.

    Args:
        model: anything with ``forward(x, noise) -> Encoding`` and ``encode``.
        x: N images, a tensor (N, C, H, W) or a data set.
        samples: draws of z for each image.
        batch_size: rows in one pass.
        seed: of the noise.
        progress: show a bar on stderr.

    Raises:
        InputError: there are no images, or `samples` or `batch_size` is below 1.

    References:
        Kingma & Welling 2014, Auto-Encoding Variational Bayes. Rezende et al. 2014, section 2.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> bound = elbo(vae((1, 32, 32), (4,), network="mlp"), torch.rand(6, 1, 32, 32), samples=2)
        >>> bound.elbo.shape, bound.layer_kl.shape, [kl.shape for kl in bound.dimension_kl]
        (torch.Size([6]), torch.Size([6, 1]), [torch.Size([4])])
    """
    N = len(x)
    likelihood = torch.zeros(N, dtype=torch.float64)
    layers: list[Tensor] = []
    dimensions: list[Tensor] = []
    with evaluating(model), progress_bar("ELBO", N * samples, progress) as advance:
        for each in passes(model, x, samples, batch_size, seed):
            encoding = model(each.x, each.noise)
            log_prob = encoding.likelihood.log_prob(each.x)
            likelihood[each.rows] += each.per_image(log_prob).sum(1)
            for place, kl in enumerate(_dimension_kl(encoding.q, encoding.z, encoding.p)):
                if place == len(layers):
                    layers.append(torch.zeros(N, dtype=torch.float64))
                    dimensions.append(torch.zeros(kl.shape[-1], dtype=torch.float64))
                summed = each.per_image(kl).sum(1)
                layers[place][each.rows] += summed.sum(-1)
                dimensions[place] += summed.sum(0)
            advance(len(each.x))
    return EvidenceBound(
        log_likelihood=likelihood / samples,
        layer_kl=torch.stack(layers, -1) / samples,
        dimension_kl=tuple(kl / (samples * N) for kl in dimensions),
    )


@sparing
def iwae(
    model: Any,
    x: Images,
    k: int = 64,
    *,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> Tensor:
    r"""The K-sample importance-weighted bound on log p(x): nats, higher is a better model.

    .. math:: \log \frac1K \sum_{k=1}^K \frac{p(x, z^{(k)})}{q(z^{(k)}|x)}, \qquad z^{(k)} \sim q(z|x)

    It is the ELBO at K = 1 (with every KL by Monte Carlo) and rises to log p(x) with K. Memory does not grow with
    K, and the value does not depend on `batch_size`.

    Args:
        model: anything with ``forward(x, noise) -> Encoding`` and ``encode``.
        x: N images, a tensor (N, C, H, W) or a data set.
        k: importance samples for each image.
        batch_size: rows in one pass.
        seed: of the noise.
        progress: show a bar on stderr.

    Returns:
        The bound of each image, (N,), float64 on the CPU.

    Raises:
        InputError: there are no images, or `k` or `batch_size` is below 1.

    References:
        Burda, Grosse & Salakhutdinov 2016, Importance Weighted Autoencoders.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> iwae(vae((1, 32, 32), (4,), network="mlp"), torch.rand(3, 1, 32, 32), k=8).shape
        torch.Size([3])
    """
    log_sum = torch.full((len(x),), -math.inf, dtype=torch.float64)
    with evaluating(model), progress_bar(f"IWAE, K = {k}", len(x) * k, progress) as advance:
        for each in passes(model, x, k, batch_size, seed):
            log_weight = _log_weights(model, each).logsumexp(1)
            log_sum[each.rows] = torch.logaddexp(log_sum[each.rows], log_weight)
            advance(len(each.x))
    return log_sum - math.log(k)


def _log_weights(model: Any, each: Pass) -> Tensor:
    """The log weights log p(x, z) − log q(z|x) of each image and draw, (count, samples)."""
    encoding = model(each.x, each.noise)
    weights = each.per_image(encoding.likelihood.log_prob(each.x))
    for q, z, p in zip(encoding.q, encoding.z, encoding.p, strict=True):
        log_ratio = p.log_prob(z) - q.log_prob(z)
        weights += each.per_image(log_ratio.sum(-1))
    return weights


def _dimension_kl(q: Sequence[Normal], z: Sequence[Tensor], p: Sequence[Normal]) -> list[Tensor]:
    """Per layer and dimension (B, D_l): the log-ratio at the sample below the top, the analytic KL at the top."""
    kls = []
    for q_l, z_l, p_l in zip(q[:-1], z[:-1], p[:-1], strict=True):
        kls.append(q_l.log_prob(z_l) - p_l.log_prob(z_l))
    kls.append(kl_divergence(q[-1], p[-1]))
    return kls
