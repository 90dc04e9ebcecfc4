"""The posteriors of a whole data set; full-data estimators and disentanglement scores start from them."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.distributions import Normal

from seatbelt_vae.metrics.passes import Images, batches, evaluating, passes, sparing
from seatbelt_vae.progress import progress_bar


@sparing
def encode_images(
    model: Any,
    x: Images,
    *,
    batch_size: int = 256,
    seed: int | None = None,
    progress: bool = False,
) -> tuple[Normal, ...]:
    """Encode every image, layer by layer, bottom first.

    Args:
        model: anything with ``encode``.
        x: N images, a tensor (N, C, H, W) or a data set.
        batch_size: images in one pass.
        seed: None propagates the *means* through the hierarchy. A number propagates one sample of each layer.
            Training conditions q(z_L|·) on such samples, and its total correlation is about them. With one layer
            the two are the same.
        progress: show a bar on stderr.

    Returns:
        Normals of batch shape (N, D_l) on the CPU, in the model's precision.

    Raises:
        InputError: there are no images, or `batch_size` is below 1.

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> model = seatbelt_vae((1, 32, 32), (4, 2), network="mlp")
        >>> [q.loc.shape for q in encode_images(model, torch.rand(5, 1, 32, 32), batch_size=2)]
        [torch.Size([5, 4]), torch.Size([5, 2])]
    """
    parts = []
    with evaluating(model), progress_bar("Encoding", len(x), progress) as advance:
        for posteriors in _posteriors(model, x, batch_size, seed):
            parts.append(posteriors)
            advance(len(posteriors[0].loc))
    layers = []
    for layer in zip(*parts, strict=True):
        loc = torch.cat([q.loc.cpu() for q in layer])
        scale = torch.cat([q.scale.cpu() for q in layer])
        layers.append(Normal(loc, scale, validate_args=False))
    return tuple(layers)


def _posteriors(
    model: Any,
    x: Images,
    batch_size: int,
    seed: int | None,
) -> Iterator[tuple[Normal, ...]]:
    if seed is None:
        for _, images in batches(model, x, batch_size):
            yield model.encode(images)
    else:
        for each in passes(model, x, 1, batch_size, seed):
            yield model.encode(each.x, each.noise)
