"""How every measurement walks over a data set: in evaluation mode, batch by batch, with noise that is reproducible.

Each image has its own noise stream, keyed by (seed, index). So a measurement is the same number whatever the batch
size, the device or the precision of the model, up to rounding.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


class Images(Protocol):
    """A tensor (N, C, H, W), or anything of a length that gives such a tensor for a slice (an ``ImageDataset``)."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> Tensor: ...


@dataclass(frozen=True)
class Pass:
    """One trip through the model: `count` images, each repeated for `samples` draws of noise.

    Row `i * samples + s` of `x` (count·samples, C, H, W) and of each layer of `noise` (count·samples, D_l) is draw
    s of image `rows.start + i`; `per_image` undoes this.
    """

    rows: slice
    x: Tensor
    noise: tuple[Tensor, ...]
    samples: int

    def per_image(self, values: Tensor) -> Tensor:
        """Shape (count·samples, …) to (count, samples, …), in float64 on the CPU."""
        values = values.detach().double().cpu()
        return values.reshape(-1, self.samples, *values.shape[1:])


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode and no gradients inside the block; each module's own mode is restored after it.

    Example:
        >>> model = nn.Sequential(nn.BatchNorm1d(2)).train()
        >>> with evaluating(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    modes = [(module, module.training) for module in model.modules()] if isinstance(model, nn.Module) else []
    try:
        for module, _ in modes:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def batches(model: Any, images: Images, batch_size: int) -> Iterator[tuple[slice, Tensor]]:
    """The images in order, `batch_size` at a time, on the model's device and in its precision.

    Example:
        >>> [(rows.start, rows.stop, len(x)) for rows, x in batches(None, torch.zeros(5, 1, 2, 2), 2)]
        [(0, 2, 2), (2, 4, 2), (4, 5, 1)]
    """
    parameter = next(iter(model.parameters()), None) if isinstance(model, nn.Module) else None
    for start in range(0, len(images), batch_size):
        rows = slice(start, min(start + batch_size, len(images)))
        x = images[rows]
        yield rows, x if parameter is None else x.to(parameter.device, parameter.dtype)


def passes(
    model: Any, images: Images, samples: int, batch_size: int, seed: int, extra: Sequence[int] = ()
) -> Iterator[Pass]:
    """Every image with `samples` draws of noise for every layer, at most `batch_size` rows at a time.

    Args:
        model: gives the sizes of its layers by ``encode``.
        images: N images.
        samples: draws for each image.
        batch_size: rows that go through the model at once; many samples of one image may take several passes.
        seed: of the noise.
        extra: sizes of further noise, which follows that of the layers.

    Yields:
        Passes that cover each (image, draw) once.
    """
    at_once = min(samples, batch_size)
    sizes: list[int] = []
    for rows, x in batches(model, images, max(1, batch_size // at_once)):
        sizes = sizes or [q.mean.shape[-1] for q in model.encode(x[:1])]
        streams = [image_stream(seed, index) for index in range(rows.start, rows.stop)]
        for start in range(0, samples, at_once):
            count = min(at_once, samples - start)
            noise = draw_noise(streams, count, [*sizes, *extra], x)
            yield Pass(rows, x.repeat_interleave(count, 0), noise, count)


def image_stream(seed: int, index: int) -> np.random.Generator:
    """The noise stream of one image: counter-based, so that no stream depends on another."""
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, index], dtype=np.uint64)))


def draw_noise(
    streams: Sequence[np.random.Generator], count: int, sizes: Sequence[int], like: Tensor
) -> tuple[Tensor, ...]:
    """Standard normals, one tensor (len(streams)·count, size) per size, with the device and dtype of `like`."""
    drawn = np.concatenate([stream.standard_normal((count, sum(sizes))) for stream in streams])
    return tuple(torch.from_numpy(drawn).to(like.device, like.dtype).split(list(sizes), dim=-1))
