"""One step of training, a function of the step, the weights and the optimiser's state and of nothing else."""

import dataclasses
import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.optim import Adam, Optimizer

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.distributed import gather, share, sum_gradients
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding, HierarchicalVAE
from seatbelt_vae.models.networks import ConvDecoder, ConvFeatures
from seatbelt_vae.objectives import Batch, Objective, Terms
from seatbelt_vae.training.diagnostics import explain
from seatbelt_vae.training.schedule import BatchSchedule, cosine_decay, generator
from seatbelt_vae.training.settings import Settings
from seatbelt_vae.training.whole_batch import gathered, whole_batch_norm


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

    def __init__(
        self,
        model: HierarchicalVAE,
        dataset: ImageDataset,
        objective: Objective,
        settings: Settings,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.objective = objective
        self.settings = settings
        self.modules: dict[str, nn.Module] = {"model": model}
        self.optimisers: dict[str, Optimizer] = {"model": adam(model, settings)}
        if settings.precision == "bfloat16":
            channels_last(model)
        if objective.adversary is not None:
            self._add(objective.adversary)
        self.schedule = BatchSchedule(len(dataset), settings.batch_size, settings.seed)
        self.others = self._others_beyond_the_batch()
        self.schedule.others(0, self.others)

    def _add(self, adversary: Any) -> None:
        weight = next(self.model.parameters())
        self.modules["adversary"] = adversary.to(weight.device, weight.dtype)
        self.optimisers["adversary"] = adversary.optimiser()

    def _others_beyond_the_batch(self) -> int:
        wanted, batch = self.objective.tc_samples, self.settings.batch_size
        if wanted is None:
            return 0
        if wanted < batch or wanted % batch:
            raise InputError(f"tc_samples: {wanted} is not a multiple of batch_size {batch}")
        return wanted - batch

    def __call__(self, step: int, advice: str = "") -> tuple[Terms, dict[str, float | Tensor]]:
        """Make the update of a step, counted from 0.

        Args:
            step: number of updates made before.
            advice: put at the end of the message if a number is no longer finite.

        Returns:
            The terms of the batch, and the learning rate, the gradient norm (before clipping) and the mean ELBO.

        Raises:
            RunError: a term or the gradient is not finite; the weights are left as they were.
        """
        rate = cosine_decay(self.settings.lr, step, self.settings.steps)
        optimiser = self.optimisers["model"]
        for group in optimiser.param_groups:
            group["lr"] = rate
        encoding, x = self.encode(step)
        terms = self.objective_at(step)(encoding, x, len(self.dataset))
        optimiser.zero_grad(set_to_none=True)
        terms.loss.backward()
        sum_gradients(self.model.parameters())
        norm = self._clip()
        # The one transfer of a step: a number that is not finite has to be known before it moves the weights.
        numbers = torch.stack([terms.loss.detach(), norm, terms.elbo.detach().mean()])
        loss, gradient_norm, elbo = numbers.tolist()
        if not math.isfinite(loss + gradient_norm):
            explain(step + 1, terms, norm, advice)
        optimiser.step()
        record: dict[str, float | Tensor] = {"lr": rate, "gradient_norm": gradient_norm, "elbo": elbo}
        if self.objective.adversary is not None:
            record["adversary_loss"] = self._update_adversary(step, encoding)
        return terms, record

    def objective_at(self, step: int) -> Objective:
        """The objective in force at a step."""
        return self.objective.at(step, self.settings.steps)

    def encode(self, step: int) -> tuple[Encoding, Tensor]:
        """Pass a step's batch through the model with the step's noise; give the encoding and the clean images.

        Where several processes train, those are this one's images, and the encoding is that of the whole batch.
        """
        seed = self.settings.seed
        device = next(self.model.parameters()).device
        noise = generator(device, seed, "noise", step)
        x = self._images(share(self.schedule.batch(step)))
        batch = Batch(
            x,
            self._draw(self.settings.batch_size, noise),
            generator(device, seed, "perturbation", step),
            self.dataset.bounds,
        )
        with self._autocast(), whole_batch_norm():
            encoding = gathered(self.objective_at(step).encode(self.model, batch))
            if self.others:
                others = self._encode_others(step, noise)
                encoding = dataclasses.replace(encoding, others=others)
        return encoding, x

    @torch.no_grad()
    def _encode_others(self, step: int, noise: torch.Generator) -> Normal:
        """Top posteriors of the examples that `tc_samples` asks for beyond the batch."""
        loc, scale = [], []
        # Chunks of the batch's own size: batch norm then sees what it sees for the batch.
        for chunk in self.schedule.others(step, self.others).split(self.settings.batch_size):
            x = self._images(share(chunk))
            top = self.model.encode(x, self._draw(len(chunk), noise))[-1]
            loc.append(gather(top.loc))
            scale.append(gather(top.scale))
        return Normal(torch.cat(loc), torch.cat(scale), validate_args=False)

    def _draw(self, rows: int, generator: torch.Generator) -> list[Tensor]:
        return [share(noise) for noise in self.model.draw_noise(rows, generator)]

    def _clip(self) -> Tensor:
        largest = self.settings.clip_norm
        if largest is None:
            largest = float("inf")
        return nn.utils.clip_grad_norm_(self.model.parameters(), largest)

    def _update_adversary(self, step: int, encoding: Encoding) -> Tensor:
        """Train the adversary after the model; its loss, a scalar in nats."""
        shuffles = generator("cpu", self.settings.seed, "adversary", step)
        loss = self.objective.adversary_loss(encoding, shuffles)
        optimiser = self.optimisers["adversary"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return loss.detach()

    def _images(self, indices: Tensor) -> Tensor:
        weight = next(self.model.parameters())
        return self.dataset[indices].to(weight.device, weight.dtype)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.settings.precision == "float32":
            return nullcontext()
        device = next(self.model.parameters()).device
        return torch.autocast(device.type, torch.bfloat16)


def adam(model: HierarchicalVAE, settings: Settings) -> Adam:
    """Adam over a model's weights: fused, but where runs of earlier versions have to go on to the bit."""
    exact = settings.precision == "float32" and next(model.parameters()).device.type == "cpu"
    return Adam(model.parameters(), lr=settings.lr, foreach=exact, fused=not exact)


def channels_last(model: HierarchicalVAE) -> None:
    """Store our own convolutions channels last; networks of others may rely on the order of the memory."""
    for module in model.modules():
        if isinstance(module, ConvFeatures | ConvDecoder):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
