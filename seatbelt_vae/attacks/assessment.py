"""What an attack gained, measured with fresh samples and kept beside it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from seatbelt_vae.attacks.protocol import (
    Attackable,
    as_samples,
    at_a_time,
    frozen,
    latent_shapes,
    log_likelihood,
    mean_image,
    place,
    posteriors,
)
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import read_tensors, write_tensors

CHUNK = 64
"""Images at a time, unless they are large."""


@dataclass(frozen=True, eq=False, repr=False)
class Assessment:
    r"""Measurements of P pairs at K values of a budget. Without a target, the target is the source.

    Attributes:
        source_reconstruction: rec(x), (P, C, H, W).
        target_reconstruction: rec(x_t), (P, C, H, W).
        adversarial_reconstruction: rec(x*), (P, K, C, H, W).
        nll: -log p(x_t|z̃) with z̃ ~ q(z|x*), mean over fresh samples, (P, K), nats.
        nll_error: its Monte-Carlo standard error, (P, K), nats; of one sample NaN.
    """

    source_reconstruction: Tensor
    target_reconstruction: Tensor
    adversarial_reconstruction: Tensor
    nll: Tensor
    nll_error: Tensor

    def __repr__(self) -> str:
        """Two lines, no tensors."""
        pairs, count = self.nll.shape
        nll = self.nll.mean(0)
        return (
            f"Assessment: {pairs} pairs at {count} values of the budget\n"
            f"  mean −log p(x_t|z̃) from {nll[0]:.4g} to {nll[-1]:.4g} nats"
        )

    def save(self, folder: str | Path, name: str) -> Path:
        """Write ``name.assessment.safetensors``.

        Raises:
            RunError: the folder cannot be written.
        """
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return write_tensors(_path(folder, name), tensors)

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, corrupt, or of something else.
        """
        tensors = read_tensors(_path(folder, name))
        if sorted(tensors) != sorted(field.name for field in fields(cls)):
            raise InputError(
                f"{_path(folder, name)}: is not an assessment of this version; delete it, and attack again"
            )
        return cls(**tensors)


def _path(folder: str | Path, name: str) -> Path:
    return Path(folder) / f"{name}.assessment.safetensors"


def assess(model: Attackable, result: AttackResult, *, samples: int = 16, seed: int = 0) -> Assessment:
    """Measure what an attack gained on a model.

    Reconstructions follow the posterior means; log p(x_t|z̃) is averaged over samples that the attack has not seen.

    Args:
        model: the attacked model.
        result: the attack.
        samples: Monte-Carlo samples per adversarial image.
        seed: of the samples.

    Returns:
        All measurements, on the CPU.

    Example:
        >>> from seatbelt_vae.attacks import Cold, Penalty, attack
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> x = torch.rand(2, 1, 28, 28)
        >>> result = attack(model, x, x.flip(0), budget=Penalty([1.0]), solver=Cold(max_iterations=5))
        >>> assess(model, result).nll.shape
        torch.Size([2, 1])
    """
    images = result.adversarial.flatten(0, 1)
    source = reconstruct(model, result.source)
    target = source
    if result.targeted:
        target = reconstruct(model, result.target)
    adversarial = reconstruct(model, images)
    log_p = _log_likelihood(model, result, samples, seed).double()
    nll_error = torch.full_like(log_p[0], torch.nan)
    if samples > 1:
        nll_error = log_p.std(0) / math.sqrt(samples)
    return Assessment(
        source_reconstruction=source,
        target_reconstruction=target,
        adversarial_reconstruction=adversarial.view_as(result.adversarial),
        nll=-log_p.mean(0),
        nll_error=nll_error,
    )


def reconstruct(model: Attackable, images: Tensor) -> Tensor:
    """Mean images decoded from posterior means, in chunks; on the CPU, (B, C, H, W).

    Example:
        >>> from seatbelt_vae.models import vae
        >>> reconstruct(vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 1, 28, 28])
    """
    with frozen(model), torch.no_grad():
        return torch.cat([mean_image(model, x).cpu() for _, x in _chunks(model, images)])


def _log_likelihood(model: Attackable, result: AttackResult, samples: int, seed: int) -> Tensor:
    """Log p(x_t|z̃) for samples z̃ ~ q(z|x*), (S, P, K), in nats."""
    pairs, count = result.status.shape
    targets = result.target.repeat_interleave(count, dim=0)
    generator = torch.Generator().manual_seed(seed)
    spread = float(not getattr(model, "deterministic", False))
    found = []
    with frozen(model), torch.no_grad():
        shapes = latent_shapes(model, place(model, result.source[:1]))
        for here, x in _chunks(model, result.adversarial.flatten(0, 1)):
            target = targets[here].to(x)
            for _ in range(samples):
                noise = [spread * torch.randn(len(x), *shape, generator=generator).to(x) for shape in shapes]
                z = as_samples(posteriors(model, x, noise), noise)
                found.append(log_likelihood(model, z, target).cpu())
    chunks = [torch.stack(found[i : i + samples]) for i in range(0, len(found), samples)]
    return torch.cat(chunks, dim=1).view(samples, pairs, count)


def _chunks(model: Attackable, images: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Slices of a batch, and their images where the model is."""
    size = at_a_time(images, CHUNK)
    for start in range(0, len(images), size):
        here = slice(start, start + size)
        yield here, place(model, images[here])
