"""What an attack gained, measured with fresh samples and kept beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seatbelt_vae.attacks.ingredients import place
from seatbelt_vae.attacks.protocol import Attackable, as_normal, as_samples, frozen
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import attack_success, auddc, relative_distortion, success_is_defined, target_log_likelihood
from seatbelt_vae.storage import read_tensors, write_tensors

CHUNK = 64


class Kept:
    """A frozen dataclass of tensors, as ``name.assessment.safetensors``."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def save(self, folder: str | Path, name: str) -> Path:
        """Write the tensors."""
        tensors = {field: getattr(self, field) for field in self.names()}
        return write_tensors(Path(folder) / f"{name}.assessment.safetensors", tensors)

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, corrupt, or of something else.
        """
        path = Path(folder) / f"{name}.assessment.safetensors"
        tensors = read_tensors(path)
        if sorted(tensors) != sorted(cls.names()):
            raise InputError(f"{path}: is not an assessment of this version; delete it, and attack again")
        return cls(**tensors)

    @classmethod
    def names(cls) -> list[str]:
        """What the tensors are called."""
        return list(cls.__dataclass_fields__)


@dataclass(frozen=True)
class Assessment(Kept):
    r"""Measurements of P pairs at K penalties.

    Attributes:
        source_reconstruction: rec(x), (P, C, H, W).
        target_reconstruction: rec(x_t), (P, C, H, W).
        adversarial_reconstruction: rec(x*), (P, K, C, H, W).
        target_nll: -log p(x_t|z̃) with z̃ ~ q(z|x*), mean over fresh samples, (P, K), nats; higher is more robust.
        target_nll_error: its Monte-Carlo standard error, (P, K), nats.
        success: s, (P, K): 0 nothing gained, 1 as good as encoding the target; lower is more robust.
        relative_distortion: ‖d‖ / ‖x - x_t‖, (P, K).
        auddc: area under the distortion-distortion curve, (P,), in [0, 1]; higher is more robust.
        shown: index of the λ shown in figures, (P,), see :func:`shown_index`.
    """

    source_reconstruction: Tensor
    target_reconstruction: Tensor
    adversarial_reconstruction: Tensor
    target_nll: Tensor
    target_nll_error: Tensor
    success: Tensor
    relative_distortion: Tensor
    auddc: Tensor
    shown: Tensor

    def defined(self, target: Tensor) -> Tensor:
        """Whether success means something for a pair with the target images x_t (P, C, H, W), (P,)."""
        return success_is_defined(self.source_reconstruction, self.target_reconstruction, target)


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
        >>> from seatbelt_vae.attacks import attack
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> x = torch.rand(2, 1, 28, 28)
        >>> assess(model, attack(model, x, x.flip(0), lambdas=[1.0], max_iterations=5)).success.shape
        torch.Size([2, 1])
    """
    pairs, count = result.adversarial.shape[:2]
    with frozen(model), torch.no_grad():
        source, target = (reconstruct(model, x) for x in (result.source, result.target))
        adversarial = reconstruct(model, result.adversarial.flatten(0, 1)).view_as(result.adversarial)
        log_likelihood = sampled_log_likelihood(model, result, samples, seed).view(samples, pairs, count)
    nll = target_log_likelihood(log_likelihood)
    success = attack_success(adversarial, source, target, result.target)
    distance = torch.linalg.vector_norm((result.source - result.target).flatten(1), dim=1)
    return Assessment(
        source_reconstruction=source,
        target_reconstruction=target,
        adversarial_reconstruction=adversarial,
        target_nll=-nll.mean,
        target_nll_error=nll.standard_error,
        success=success,
        relative_distortion=relative_distortion(result.distortion, result.source, result.target),
        auddc=auddc(result.distortion, distance, success),
        shown=shown_index(result.objective),
    )


def shown_index(objective: Tensor) -> Tensor:
    """Index of the λ shown in figures: among those whose Δ is above the mean over λ, the largest λ of smallest Δ.

    Args:
        objective: Δ, (P, K), λ ascending.

    Returns:
        (P,), integers. Where no Δ exceeds the mean (all are equal) the last.

    References:
        Willetts et al. 2020, caption of Figure 1.

    Example:
        >>> shown_index(torch.tensor([[0.0, 1.0, 5.0, 5.0, 9.0], [1.0, 1.0, 1.0, 1.0, 1.0]]))
        tensor([3, 4])
    """
    above = objective.where(objective > objective.mean(1, keepdim=True), torch.inf)
    smallest = above <= above.amin(1, keepdim=True)
    positions = torch.arange(objective.shape[1]).expand_as(objective)
    return positions.where(smallest, -1).amax(1)


def reconstruct(model: Attackable, images: Tensor) -> Tensor:
    """Mean images decoded from posterior means, in chunks; on the CPU, (B, C, H, W)."""
    means = [model.decode([as_normal(q).loc for q in model.encode(x)]).mean.cpu() for _, x in chunks(model, images)]
    return torch.cat(means)


def sampled_log_likelihood(model: Attackable, result: AttackResult, samples: int, seed: int) -> Tensor:
    """Log p(x_t|z̃) for samples z̃ ~ q(z|x*), (S, P·K), in nats."""
    images = result.adversarial.flatten(0, 1)
    targets = result.target.repeat_interleave(result.adversarial.shape[1], dim=0)
    generator = torch.Generator().manual_seed(seed)
    shapes = [as_normal(q).loc.shape[1:] for q in model.encode(next(chunks(model, images[:1]))[1])]
    parts = []
    for here, x in chunks(model, images):
        target = targets[here].to(x)
        rows = []
        for _ in range(samples):
            noise = [torch.randn(len(x), *shape, generator=generator).to(x) for shape in shapes]
            z = as_samples([as_normal(q) for q in model.encode(x, noise)], noise)
            rows.append(model.decode(z).log_prob(target).cpu())
        parts.append(torch.stack(rows))
    return torch.cat(parts, dim=1)


def chunks(model: Attackable, images: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Slices of a batch, and their images where the model is."""
    for start in range(0, len(images), CHUNK):
        here = slice(start, start + CHUNK)
        yield here, place(model, images[here])
