"""The one way to pass images through a model: in evaluation mode, in batches, with reproducible noise.

Each image has its own stream of noise, keyed by (seed, index). So a measurement does not depend on the batch size,
the device or the precision of the model, up to rounding.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from seatbelt_vae.allocator import kept_memory
from seatbelt_vae.errors import InputError
from seatbelt_vae.memory import halved
from seatbelt_vae.models import Encoding, HierarchicalVAE, modes

P = ParamSpec("P")
R = TypeVar("R")


class Images(Protocol):
    """A tensor (N, C, H, W), or anything with a length that gives such a tensor for a slice (an ``ImageDataset``)."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> Tensor: ...


@dataclass(frozen=True)
class Pass:
    """One pass through the model: some images, each repeated for `samples` draws of noise.

    Row ``i * samples + s`` is draw s of image ``rows.start + i``; `per_image` undoes this.

    Attributes:
        rows: which images.
        x: the images, (count·samples, C, H, W).
        noise: standard normals, one (count·samples, D_l) per layer.
        samples: draws of each image.
        images: the images once, (count, C, H, W).
    """

    rows: slice
    x: Tensor
    noise: tuple[Tensor, ...]
    samples: int
    images: Tensor

    def through(self, model: Any) -> Encoding:
        """The model's pass, one row for each draw; our own models encode an image once for all of its draws."""
        x = self.x
        if isinstance(model, HierarchicalVAE):
            x = self.images
        encoding: Encoding = model(x, self.noise)
        return encoding

    def per_image(self, values: Tensor) -> Tensor:
        """Shape (count·samples, …) to (count, samples, …), in float64 on the CPU."""
        values = values.detach().double().cpu()
        return values.reshape(-1, self.samples, *values.shape[1:])


def sparing(measure: Callable[P, R]) -> Callable[P, R]:
    """Begin a measurement again with half of its `batch_size` where memory runs out.

    Args:
        measure: has a keyword `batch_size`, on which its value does not depend.
    """
    usual = inspect.signature(measure).parameters["batch_size"].default

    @functools.wraps(measure)
    def measured(*words: P.args, **more: P.kwargs) -> R:
        def work(size: int) -> R:
            more["batch_size"] = size
            return measure(*words, **more)

        size: Any = more.get("batch_size", usual)
        return halved(work, size)

    return measured


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode and no gradients inside the block; each module gets its own mode back after it.

    Example:
        >>> model = nn.Sequential(nn.BatchNorm1d(2)).train()
        >>> with evaluating(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    still: AbstractContextManager[None] = nullcontext()
    if isinstance(model, nn.Module):
        still = modes.evaluating(model)
    with still, torch.no_grad(), kept_memory():
        yield


def batches(model: Any, images: Images, batch_size: int) -> Iterator[tuple[slice, Tensor]]:
    """The images in order, `batch_size` at a time, on the model's device and in its precision.

    Raises:
        InputError: there are no images, or `batch_size` is below 1.

    Example:
        >>> [(rows.start, rows.stop, len(x)) for rows, x in batches(None, torch.zeros(5, 1, 2, 2), 2)]
        [(0, 2, 2), (2, 4, 2), (4, 5, 1)]
    """
    if len(images) < 1 or batch_size < 1:
        raise InputError(f"x: {len(images)} images and batch_size {batch_size}; at least 1 of each is needed")
    parameter = None
    if isinstance(model, nn.Module):
        parameter = next(iter(model.parameters()), None)
    for start in range(0, len(images), batch_size):
        rows = slice(start, min(start + batch_size, len(images)))
        x = images[rows]
        if parameter is not None:
            x = x.to(parameter.device, parameter.dtype)
        yield rows, x


def passes(
    model: Any,
    images: Images,
    samples: int,
    batch_size: int,
    seed: int,
    extra: Sequence[int] = (),
) -> Iterator[Pass]:
    """Every image with `samples` draws of noise for every layer, at most `batch_size` rows at a time.

    Args:
        model: gives the sizes of its layers by ``encode``.
        images: N images.
        samples: draws of each image.
        batch_size: rows in one pass; many samples of one image may take several passes.
        seed: of the noise.
        extra: sizes of further noise, which follows that of the layers.

    Yields:
        Passes that cover each (image, draw) once.

    Raises:
        InputError: there are no images, or `samples` or `batch_size` is below 1.
    """
    if samples < 1 or batch_size < 1:
        raise InputError(f"samples {samples} and batch_size {batch_size}: both must be at least 1")
    most = min(samples, batch_size)
    sizes: list[int] = []
    for rows, x in batches(model, images, batch_size // most):
        if not sizes:
            sizes = [q.mean.shape[-1] for q in model.encode(x[:1])]
        streams = [image_stream(seed, index) for index in range(rows.start, rows.stop)]
        for start in range(0, samples, most):
            count = min(most, samples - start)
            noise = draw_noise(streams, count, [*sizes, *extra], x)
            yield Pass(rows, x.repeat_interleave(count, 0), noise, count, x)


def image_stream(seed: int, index: int) -> np.random.Generator:
    """The stream of noise of one image; counter-based, so no stream depends on another."""
    key = np.array([seed % 2**64, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def draw_noise(
    streams: Sequence[np.random.Generator],
    count: int,
    sizes: Sequence[int],
    like: Tensor,
) -> tuple[Tensor, ...]:
    """Standard normals, one (len(streams)·count, size) per size, with the device and dtype of `like`."""
    shape = (count, sum(sizes))
    drawn = np.concatenate([stream.standard_normal(shape) for stream in streams])
    noise = torch.from_numpy(drawn).to(like.device, like.dtype)
    return tuple(noise.split(list(sizes), dim=-1))
