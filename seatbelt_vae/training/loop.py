"""The training loop: plain, resumable to the bit, and loud when a number stops being one."""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import Objective
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.training.checkpoint import FILE, Checkpoint, restore_training, training_state
from seatbelt_vae.training.device import choose_device
from seatbelt_vae.training.diagnostics import warn_of_collapse
from seatbelt_vae.training.history import History
from seatbelt_vae.training.interrupt import held_interrupt
from seatbelt_vae.training.update import Settings, Update

SETTLED = 100
"""Step before which a small KL is no sign of collapse."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and how it came to be.

    Attributes:
        model: the model that was given, trained, in evaluation mode.
        steps: number of steps done, those of earlier sittings included.
        history: one record every ``log_every`` steps: step, learning rate, gradient norm and the terms in nats.
        seconds: time that the steps took, over all sittings.
    """

    model: HierarchicalVAE
    steps: int
    history: list[dict[str, Any]]
    seconds: float


def train(
    model: HierarchicalVAE,
    dataset: ImageDataset,
    objective: Objective,
    *,
    steps: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    resume: bool = False,
    clip_norm: float | None = 200.0,
    checkpoint_every: int = 500,
    log_every: int = 50,
    precision: str = "float32",
    progress: bool = False,
) -> TrainingResult:
    r"""Minimise an objective by Adam with a cosine decay of the learning rate.

    The batch and the noise of a step are functions of (seed, step) alone, so a run that was interrupted and resumed
    ends, on a CPU, with the same weights to the bit as one that was not.

    Args:
        model: what to train, in place.
        dataset: the training images.
        objective: gives the terms of a batch; its ``at(step)`` is the objective in force at a step, and its
            ``tc_samples`` (a multiple of the batch size) the number of examples over which the aggregate posterior
            is estimated: those beyond the batch are encoded without gradient.
        steps: number of updates.
        batch_size: examples an update.
        lr: learning rate of the first step; it decays to almost 0.
        seed: of the batches and the noise. (The initial weights are the model's own.)
        device: "auto", "cpu", "cuda" or "mps".
        out: folder for ``model.safetensors``, ``training.safetensors`` and ``metrics.jsonl``; None writes nothing.
        resume: go on from the checkpoint in `out`, if there is one.
        clip_norm: largest norm of the gradient (nats per unit of weight); a larger one is scaled down. None: no limit.
        checkpoint_every: steps between checkpoints.
        log_every: steps between records.
        precision: "float32", or "bfloat16" to run the networks under autocast.
        progress: show a bar on stderr.

    Returns:
        The model, the history and the time.

    Raises:
        InputError: an argument is out of range, or `out` holds a checkpoint that cannot be gone on from.
        RunError: a term or the gradient is no longer finite; the last checkpoint is kept.
        KeyboardInterrupt: Ctrl-C; a checkpoint of the last whole step has been written.

    References:
        Kingma & Ba 2015, Adam: A Method for Stochastic Optimization.

    Example:
        >>> from seatbelt_vae.data import load_dataset
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> sprites = load_dataset("sprites", size=32, count=8)
        >>> model = vae(sprites.image_shape, latent_sizes=(2,), network="mlp")
        >>> train(model, sprites, ELBO(), steps=2, batch_size=4, device="cpu").steps
        2
    """
    settings = Settings(steps, batch_size, lr, seed, clip_norm, precision)
    _check(model, dataset, batch_size, checkpoint_every, log_every)
    if out is not None and model.recipe is None:
        raise InputError("out: this model has no recipe to be saved by; build it with a factory of seatbelt_vae.models")
    folder = None if out is None else Path(out)
    model.to(choose_device(device)).train()
    update = Update(model, dataset, objective, settings)
    identity = _identity(settings, model, dataset, objective)
    step, seconds = _restore(folder, resume, identity, update)
    history = History(folder, step)
    started = time.perf_counter() - seconds
    saved = step

    with progress_bar("Training", steps, progress) as advance, held_interrupt() as interrupted:
        advance(step)
        while step < steps:
            terms, record = update(step, _advice(settings, folder, saved))
            step += 1
            if step == max(steps // 3, SETTLED):
                warn_of_collapse(terms, step)
            if step % log_every == 0 or step == steps:
                history.append({"step": step, **record, **terms.summary()})
            stop = interrupted()
            if folder and (step % checkpoint_every == 0 or step == steps or stop):
                _save(folder, update, step, time.perf_counter() - started, identity)
                saved = step
            advance(1, f"elbo {terms.elbo.mean().item():.1f}")
            if stop:
                raise KeyboardInterrupt
    return TrainingResult(model.eval(), steps, history.records, time.perf_counter() - started)


def _check(
    model: HierarchicalVAE, dataset: ImageDataset, batch_size: int, checkpoint_every: int, log_every: int
) -> None:
    for name, value in (("checkpoint_every", checkpoint_every), ("log_every", log_every)):
        if value < 1:
            raise InputError(f"{name}: {value} is too small, use 1 or more")
    if not isinstance(dataset, ImageDataset):
        wanted = "an ImageDataset, such as load_dataset(…).split().train"
        raise InputError(f"dataset: is a {type(dataset).__name__}, must be {wanted}")
    low, high = dataset.bounds
    likelihood = getattr(model.likelihood, "likelihood", None)  # a user's own decoder may have none
    if getattr(likelihood, "unit_interval", False) and (low < 0 or high > 1):
        name = type(likelihood).__name__
        raise InputError(f"images: have bounds {(low, high)}, {name} is for pixels in [0, 1]; choose another of either")
    shape, expected = tuple(dataset.image_shape), tuple(model.image_shape)
    if shape != expected:
        raise InputError(f"images: are {shape} (C, H, W), the model takes {expected}")
    if batch_size == 1 and any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in model.modules()):
        raise InputError("batch_size: 1 is too small for a model with batch norm, use 2 or more")


def _identity(
    settings: Settings, model: HierarchicalVAE, dataset: ImageDataset, objective: Objective
) -> dict[str, Any]:
    """What a resumed run has to agree with, as JSON."""
    name = repr(objective) if dataclasses.is_dataclass(objective) else type(objective).__name__
    recipe = json.loads(json.dumps(model.recipe))
    return {**dataclasses.asdict(settings), "data": dataset.digest, "objective": name, "model": recipe}


def _restore(folder: Path | None, resume: bool, identity: dict[str, Any], update: Update) -> tuple[int, float]:
    """Restore the state in a folder and give its step and seconds; (0, 0) where there is none."""
    if folder is None or not (folder / FILE).exists():
        return 0, 0.0
    checkpoint = Checkpoint.load(folder)
    if not resume:
        raise InputError(f"{folder}: holds a checkpoint of step {checkpoint.step}; resume, or choose another folder")
    for name, value in identity.items():
        if (was := checkpoint.settings.get(name, value)) != value:  # older ones do not name the model
            raise InputError(f"{folder}: was trained with {name} {was}, not {value}; choose another folder")
    restore_training(checkpoint.state, update.modules, update.optimisers)
    return checkpoint.step, checkpoint.seconds


def _save(folder: Path, update: Update, step: int, seconds: float, identity: dict[str, Any]) -> None:
    """Write the model, then the training state: the latter is the truth, so what it calls finished is whole."""
    update.model.save_pretrained(folder)
    Checkpoint(step, seconds, identity, training_state(update.modules, update.optimisers)).save(folder)


def _advice(settings: Settings, folder: Path | None, saved: int) -> str:
    kept = f"the checkpoint of step {saved} in {folder} is kept, " if folder and saved else ""
    return f"; {kept}try a smaller lr (now {settings.lr:g}) or clip_norm (now {settings.clip_norm})"
