"""What an attack found, in memory and on disk."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors


@dataclass(frozen=True)
class AttackResult:
    r"""P pairs attacked at K distortion penalties.

    Attributes:
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        adversarial: x* = x + d inside the bounds, (P, K, C, H, W).
        lambdas: the penalties λ, (K,), ascending.
        objective: Δ = r + λ‖d‖ at the solution, (P, K).
        discrepancy: r, the part without the penalty, (P, K).
        distortion: ‖d‖, un-squared L2 over the whole image, (P, K).
        status: how each solve ended, (P, K), values of :class:`~seatbelt_vae.optim.Status`.
        evaluations: evaluations of r and its gradient spent on each, (P, K).
        settings: how it was done, JSON values: mode, divergence, layers, solver, samples, seed, bounds, …
    """

    source: Tensor
    target: Tensor
    adversarial: Tensor
    lambdas: Tensor
    objective: Tensor
    discrepancy: Tensor
    distortion: Tensor
    status: Tensor
    evaluations: Tensor
    settings: dict[str, Any]

    @property
    def pairs(self) -> int:
        """P."""
        return len(self.source)

    def save(self, folder: str | Path, name: str) -> Path:
        """Write ``name.json`` (the settings) and ``name.safetensors`` (the tensors); returns the JSON's path.

        Raises:
            RunError: the folder cannot be written.
        """
        folder = Path(folder)
        write_tensors(folder / f"{name}.safetensors", {field: getattr(self, field) for field in tensor_names()})
        return write_json(folder / f"{name}.json", self.settings)

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Self:
        """Read what :meth:`save` wrote; equal to the bit.

        Raises:
            InputError: a file is missing, corrupt, or not of an attack.
        """
        folder = Path(folder)
        tensors, settings = read_tensors(folder / f"{name}.safetensors"), read_json(folder / f"{name}.json")
        missing = [field for field in tensor_names() if field not in tensors]
        if missing:
            raise InputError(f"{folder / name}.safetensors: is not an attack, it has no {', '.join(missing)}")
        return cls(**{field: tensors[field] for field in tensor_names()}, settings=settings)


def tensor_names() -> list[str]:
    """The fields of :class:`AttackResult` that are tensors.

    Example:
        >>> tensor_names()[:3]
        ['source', 'target', 'adversarial']
    """
    return [field.name for field in fields(AttackResult) if field.name != "settings"]
