"""Latent traversals: what one dimension of one layer does to the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.passes import batches, evaluating


@dataclass(frozen=True)
class Traversal:
    """Images decoded while the dimensions of a layer are moved one at a time.

    Attributes:
        layer: which, from 0 (the bottom).
        dimensions: the D dimensions moved, the one that holds most first.
        kl: what each holds of an image, nats, (D,).
        positions: values of z_j, (D, K).
        images: p(x|z)'s mean, (D, K, C, H, W).
    """

    layer: int
    dimensions: tuple[int, ...]
    kl: Tensor
    positions: Tensor
    images: Tensor


def traverse(
    model: Any,
    image: Tensor,
    posteriors: Sequence[Normal],
    dimension_kl: Sequence[Tensor],
    *,
    most: int = 6,
    steps: int = 9,
    reach: float = 3.0,
) -> tuple[Traversal, ...]:
    r"""Move the most active dimensions of each layer over the range that the data take in it.

    From the posterior means of one image, z_j goes in `steps` equal steps through :math:`m_j \pm 3 s_j`, the mean and
    standard deviation of the aggregate posterior :math:`\frac1N \sum_n q(z_j|x_n)`. The layers above stay as they
    are; those below follow as the means of p(z_k|z_{>k}), or a layer whose effect passes through them would show none.
    The middle picture has z_j at its mean over the data: for the bottom layer the reconstruction but for that.

    Args:
        model: anything with ``encode`` and ``decode``, and with ``prior(z)`` if it has more than one layer.
        image: x, (C, H, W).
        posteriors: q(z_l|x_n) of a data set, batch shape (N, D_l), bottom first.
        dimension_kl: KL of each dimension in nats, (D_l,), bottom first; the largest are shown.
        most: dimensions of each layer at most.
        steps: pictures of each.
        reach: standard deviations to each side.

    Returns:
        One for each layer, bottom first, on the CPU.

    Raises:
        InputError: fewer than one dimension or two steps are asked for.

    References:
        Higgins et al. 2017, β-VAE, Figure 1.

    Example:
        >>> from seatbelt_vae.metrics import elbo, encode_images
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), (4,), network="mlp"), torch.rand(5, 1, 28, 28)
        >>> (layer,) = traverse(model, x[0], encode_images(model, x), elbo(model, x).dimension_kl, most=2)
        >>> layer.images.shape
        torch.Size([2, 9, 1, 28, 28])
    """
    if most < 1 or steps < 2:
        raise InputError(f"most {most} and steps {steps}: at least 1 dimension and 2 steps are needed")
    deviations = torch.linspace(-reach, reach, steps).double()
    found = []
    with evaluating(model):
        ((_, x),) = batches(model, image[None], 1)
        z = [q.loc for q in model.encode(x)]
        for layer, (q, kl) in enumerate(zip(posteriors, dimension_kl, strict=True)):
            chosen = kl.topk(min(most, len(kl))).indices
            positions = _positions(q, chosen, deviations)
            images = _decode(model, z, layer, chosen, positions)
            found.append(Traversal(layer, tuple(chosen.tolist()), kl[chosen].cpu(), positions, images))
    return tuple(found)


def _positions(q: Normal, chosen: Tensor, deviations: Tensor) -> Tensor:
    """Values of the chosen dimensions, so many standard deviations of the aggregate from its mean, (D, K)."""
    loc = q.loc.double()
    variance = loc.var(0, correction=0) + q.scale.double().square().mean(0)
    mean = loc.mean(0)[chosen].cpu()
    spread = variance.sqrt()[chosen].cpu()
    return mean[:, None] + deviations * spread[:, None]


def _decode(model: Any, z: Sequence[Tensor], layer: int, chosen: Tensor, positions: Tensor) -> Tensor:
    """The pictures with one dimension of a layer at each of its positions, (D, K, C, H, W)."""
    D, K = positions.shape
    rows = [part.repeat(D * K, 1) for part in z]
    moved = chosen.repeat_interleave(K).to("cpu")
    rows[layer][torch.arange(D * K), moved] = positions.flatten().to(rows[layer])
    for below in reversed(range(layer)):
        rows[below] = model.prior(rows)[below].loc
    images: Tensor = model.decode(rows).mean.cpu()
    return images.view(D, K, *images.shape[1:])
