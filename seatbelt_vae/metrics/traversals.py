"""Latent traversals: what one dimension of one layer does to the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.streaming import batches, evaluating


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
    with evaluating(model):
        ((_, one),) = batches(model, image[None], 1)
        z = [q.loc for q in model.encode(one)]
        return tuple(
            _layer(model, z, layer, q, kl, min(most, len(kl)), torch.linspace(-reach, reach, steps))
            for layer, (q, kl) in enumerate(zip(posteriors, dimension_kl, strict=True))
        )


def _layer(model: Any, z: Sequence[Tensor], layer: int, q: Normal, kl: Tensor, most: int, at: Tensor) -> Traversal:
    chosen = kl.topk(most).indices
    spread = (q.loc.double().var(0, correction=0) + q.scale.double().square().mean(0)).sqrt()[chosen].cpu()
    positions = q.loc.double().mean(0)[chosen].cpu()[:, None] + at.double() * spread[:, None]
    rows = [part.repeat(most * len(at), 1) for part in z]
    place = torch.arange(most * len(at))
    rows[layer][place, chosen.repeat_interleave(len(at)).to(place)] = positions.flatten().to(rows[layer])
    for below in reversed(range(layer)):
        rows[below] = model.prior(rows)[below].loc
    images = model.decode(rows).mean.cpu()
    return Traversal(
        layer, tuple(chosen.tolist()), kl[chosen].cpu(), positions, images.view(most, len(at), *images.shape[1:])
    )
