"""One step of training, a function of the step, the weights and the optimiser's state and of nothing else."""

import dataclasses
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding, HierarchicalVAE
from seatbelt_vae.objectives import Batch, Objective, Terms
from seatbelt_vae.training.diagnostics import check_finite
from seatbelt_vae.training.schedule import BatchSchedule, cosine_decay, generator

PRECISIONS = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training run beside the model, the data and the objective; see `train` for the meaning.

    Raises:
        InputError: a value is out of range.

    Example:
        >>> Settings(steps=100).batch_size
        128
    """

    steps: int
    batch_size: int = 128
    lr: float = 1e-3
    seed: int = 0
    clip_norm: float | None = 200.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, kind in (("steps", int), ("batch_size", int), ("seed", int), ("lr", float), ("clip_norm", float)):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, kind(value))  # NumPy's numbers are no JSON
        if self.steps < 1:
            raise InputError(f"steps: {self.steps} is too small, use 1 or more")
        for name, value in (("lr", self.lr), ("clip_norm", self.clip_norm)):
            if value is not None and not 0 < value < float("inf"):
                raise InputError(f"{name}: {value} is out of range, use a positive number")
        if self.precision not in PRECISIONS:
            raise InputError(f"precision: {self.precision!r} is unknown, use one of {', '.join(PRECISIONS)}")


class Update:
    """Adam's update of the weights at a step, and that of the objective's adversary, if it has one (FactorVAE).

    Args:
        model: what is trained, in place, on its own device and in its own dtype.
        dataset: the training images.
        objective: gives the loss.
        settings: batch size, learning rate, seed and so on.

    Raises:
        InputError: batch size or `tc_samples` do not fit the data set.
    """

    def __init__(self, model: HierarchicalVAE, dataset: ImageDataset, objective: Objective, settings: Settings) -> None:
        self.model, self.dataset, self.objective, self.settings = model, dataset, objective, settings
        self.modules: dict[str, nn.Module] = {"model": model}
        self.optimisers = {"model": torch.optim.Adam(model.parameters(), lr=settings.lr)}
        if objective.adversary is not None:
            self._add(objective.adversary)
        self.schedule = BatchSchedule(len(dataset), settings.batch_size, settings.seed)
        self.others = (objective.tc_samples or settings.batch_size) - settings.batch_size
        if self.others < 0 or self.others % settings.batch_size:
            raise InputError(
                f"tc_samples: {objective.tc_samples} is not a multiple of batch_size {settings.batch_size}"
            )
        self.schedule.others(0, self.others)

    def _add(self, adversary: Any) -> None:
        weight = next(self.model.parameters())
        self.modules["adversary"] = adversary.to(weight.device, weight.dtype)
        self.optimisers["adversary"] = torch.optim.Adam(
            adversary.parameters(), lr=adversary.learning_rate, betas=adversary.betas
        )

    def __call__(self, step: int, advice: str = "") -> tuple[Terms, dict[str, float]]:
        """Make the update of a step, counted from 0.

        Args:
            step: number of updates made before.
            advice: put at the end of the message if a number is no longer finite.

        Returns:
            The terms of the batch, and the learning rate and gradient norm (before clipping).

        Raises:
            RunError: a term or the gradient is not finite; the weights are left as they were.
        """
        rate = cosine_decay(self.settings.lr, step, self.settings.steps)
        for group in self.optimisers["model"].param_groups:
            group["lr"] = rate
        encoding, x = self.encode(step)
        terms = self._objective(step)(encoding, x, len(self.dataset))
        self.optimisers["model"].zero_grad(set_to_none=True)
        terms.loss.backward()
        norm = self._clip()
        check_finite(step + 1, terms, norm, advice)
        self.optimisers["model"].step()
        adversary = self._update_adversary(step, encoding)
        return terms, {"lr": rate, "gradient_norm": norm.item(), **adversary}

    def _objective(self, step: int) -> Objective:
        return self.objective.at(step, self.settings.steps)

    def encode(self, step: int) -> tuple[Encoding, Tensor]:
        """Pass a step's batch through the model with the step's noise; give the encoding and the clean images."""
        device, seed = next(self.model.parameters()).device, self.settings.seed
        noise = generator(device, seed, "noise", step)
        x = self._images(self.schedule.batch(step))
        perturbation = generator(device, seed, "perturbation", step)
        batch = Batch(x, self.model.draw_noise(len(x), noise), perturbation, self.dataset.bounds)
        with self._autocast():
            encoding = self._objective(step).encode(self.model, batch)
            if self.others:
                encoding = dataclasses.replace(encoding, others=self._encode_others(step, noise))
        return encoding, x

    @torch.no_grad()
    def _encode_others(self, step: int, noise: torch.Generator) -> Normal:
        """Top posteriors of the examples that `tc_samples` asks for beyond the batch."""
        # Chunks of the batch's own size: batch norm then sees what it sees for the batch.
        chunks = self.schedule.others(step, self.others).split(self.settings.batch_size)
        top = [self.model.encode(self._images(chunk), self.model.draw_noise(len(chunk), noise))[-1] for chunk in chunks]
        return Normal(torch.cat([q.loc for q in top]), torch.cat([q.scale for q in top]), validate_args=False)

    def _clip(self) -> Tensor:
        largest = float("inf") if self.settings.clip_norm is None else self.settings.clip_norm
        return torch.nn.utils.clip_grad_norm_(self.model.parameters(), largest)

    def _update_adversary(self, step: int, encoding: Encoding) -> dict[str, float]:
        """Train the adversary on the batch's latents, after the model; its cross-entropy in nats."""
        adversary: Any = self.objective.adversary
        if adversary is None:
            return {}
        loss = adversary.loss(encoding.z[-1], generator("cpu", self.settings.seed, "adversary", step))
        self.optimisers["adversary"].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers["adversary"].step()
        return {"adversary_loss": loss.item()}

    def _images(self, indices: Tensor) -> Tensor:
        weight = next(self.model.parameters())
        return self.dataset[indices].to(weight.device, weight.dtype)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.settings.precision == "float32":
            return nullcontext()
        return torch.autocast(next(self.model.parameters()).device.type, torch.bfloat16)
