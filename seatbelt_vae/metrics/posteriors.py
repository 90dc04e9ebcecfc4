"""The posteriors of a whole data set: what the full-data estimators and disentanglement scores are computed from."""

from typing import Any

import torch
from torch.distributions import Normal

from seatbelt_vae.metrics.streaming import Images, batches, draw_noise, evaluating, image_stream
from seatbelt_vae.progress import progress_bar


def encode_images(
    model: Any, x: Images, *, batch_size: int = 256, seed: int | None = None, progress: bool = False
) -> tuple[Normal, ...]:
    """Encode every image, layer by layer, bottom first.

    Args:
        model: anything with ``encode``.
        x: N images, a tensor (N, C, H, W) or a data set.
        batch_size: images that go through the model at once.
        seed: None propagates the *means* through the hierarchy. A number propagates one sample of each layer:
            q(z_L|·) is then conditioned on what training conditions it on, which is what its total correlation
            is about. For one layer the two are the same.
        progress: show a bar on stderr.

    Returns:
        Normals of batch shape (N, D_l) on the CPU, in the model's precision.

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> model = seatbelt_vae((1, 32, 32), (4, 2), network="mlp")
        >>> [q.loc.shape for q in encode_images(model, torch.rand(5, 1, 32, 32), batch_size=2)]
        [torch.Size([5, 4]), torch.Size([5, 2])]
    """
    parts: list[list[tuple[torch.Tensor, torch.Tensor]]] = []
    with evaluating(model), progress_bar("Encoding", len(x), progress) as advance:
        for rows, images in batches(model, x, batch_size):
            posteriors = model.encode(images)
            if seed is not None and len(posteriors) > 1:
                streams = [image_stream(seed, index) for index in range(rows.start, rows.stop)]
                noise = draw_noise(streams, 1, [q.loc.shape[-1] for q in posteriors], images)
                posteriors = model.encode(images, noise)
            parts.append([(q.loc.cpu(), q.scale.cpu()) for q in posteriors])
            advance(len(images))
    return tuple(
        Normal(torch.cat([loc for loc, _ in layer]), torch.cat([scale for _, scale in layer]), validate_args=False)
        for layer in zip(*parts, strict=True)
    )
