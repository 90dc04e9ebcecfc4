"""The training loop: plain, resumable to the bit, and loud when a number stops being one."""

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from seatbelt_vae.allocator import kept_memory
from seatbelt_vae.data import as_dataset
from seatbelt_vae.distributed import join, largest, on_rank_zero, rank
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import Objective
from seatbelt_vae.progress import Advance, progress_bar
from seatbelt_vae.signals import exception_of, held_interrupt
from seatbelt_vae.training.checkpoint import settings_before
from seatbelt_vae.training.checks import check_batch_norm, check_count, check_dataset, check_saving
from seatbelt_vae.training.deterministic import deterministic_algorithms
from seatbelt_vae.training.device import choose_device
from seatbelt_vae.training.diagnostics import warn_of_collapse
from seatbelt_vae.training.history import History, Hook
from seatbelt_vae.training.precision import fastest
from seatbelt_vae.training.settings import Settings
from seatbelt_vae.training.sitting import Sitting
from seatbelt_vae.training.update import Update
from seatbelt_vae.training.whole_batch import check_shares

SETTLED = 100
"""Step before which a small KL is no sign of collapse."""


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        """One line, without the model and the records."""
        return f"TrainingResult: {self.steps} steps in {self.seconds:.0f} s, {len(self.history)} records"


def train(
    model: HierarchicalVAE,
    dataset: Any,
    objective: Objective,
    *,
    steps: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    resume: bool = False,
    extend: bool = False,
    clip_norm: float | None = 200.0,
    checkpoint_every: int = 500,
    log_every: int = 50,
    precision: str = "float32",
    deterministic: bool = False,
    on_record: Hook | None = None,
    progress: bool = False,
) -> TrainingResult:
    r"""Minimise an objective by Adam with a cosine decay of the learning rate.

    The batch and the noise of a step are functions of (seed, step) alone, so a run that was interrupted and resumed
    ends, on a CPU, with the same weights to the bit as one that was not.

    In a script that ``torchrun`` starts several times, each process passes its share of every batch through the model.
    The loss is that of the whole batch, so the curve is that of one process up to rounding. All processes end with the
    same weights. Rank 0 writes `out`, which all have to see, and has the whole history.

    Args:
        model: what to train, in place.
        dataset: the training images: an `ImageDataset`, or whatever `as_dataset` takes (arrays, a torch ``Dataset`` …).
        objective: gives the terms of a batch; its ``at(step, steps)`` is the objective in force at a step, and its
            ``tc_samples`` (a multiple of the batch size) the number of examples over which the aggregate posterior
            is estimated: those beyond the batch are encoded without gradient.
        steps: number of updates.
        batch_size: examples an update, of all processes together.
        lr: learning rate of the first step; it decays to almost 0.
        seed: of the batches and the noise. (The initial weights are the model's own.)
        device: "auto", "cpu", "cuda" or "mps".
        out: folder for ``model.safetensors``, ``training.safetensors`` and ``metrics.jsonl``; None writes nothing.
        resume: go on from the checkpoint in `out`, if there is one.
        extend: go on from the finished run in `out`, which may have had fewer steps: the learning rate is then that of
            the longer schedule.
        clip_norm: largest norm of the gradient (nats per unit of weight); a larger one is scaled down. None: no limit.
        checkpoint_every: steps between checkpoints.
        log_every: steps between records.
        precision: "float32"; "bfloat16" to run the networks under autocast; or "auto", which a run decides once, by
            what the machine can do: it resumes with what it began with.
        deterministic: refuse operators that may give other bits the next time; slower. CPUs need it rarely.
        on_record: called with each record of the history, a dict, as soon as it is made.
        progress: show a bar on stderr.

    Returns:
        The model, the history and the time.

    Raises:
        InputError: an argument is out of range, or `out` holds a checkpoint that cannot be gone on from.
        RunError: a term or the gradient is no longer finite, or another process is gone; the last checkpoint is kept.
            Or an operator of a deterministic run has no such form.
        KeyboardInterrupt: Ctrl-C; a checkpoint of the last whole step has been written.
        Terminated: SIGTERM or SIGUSR1; likewise. It is a KeyboardInterrupt.

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
    settings = Settings(steps, batch_size, lr, seed, clip_norm, precision, deterministic)
    steps = settings.steps
    check_count("checkpoint_every", checkpoint_every)
    check_count("log_every", log_every)
    dataset = as_dataset(dataset)
    check_dataset(model, dataset)
    check_batch_norm(model, settings.batch_size)
    check_saving(model, out)
    folder = None
    if out is not None:
        folder = Path(out)

    place = choose_device(device)
    join(place)
    check_shares(settings.batch_size)
    if settings.precision == "auto":
        precision = on_rank_zero(lambda: precision_of(folder, place))
        settings = replace(settings, precision=precision)
    model.to(place).train()
    update = Update(model, dataset, objective, settings)
    sitting = Sitting(update, folder, resume, extend)
    alone = rank() == 0
    history = History(None, sitting.step)
    if alone:
        history = History(folder, sitting.step, on_record)
    with progress_bar("Training", steps, progress and alone) as advance:
        go_on(sitting, history, advance, checkpoint_every, log_every)
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return TrainingResult(model.eval(), steps, history.records, sitting.seconds)


def go_on(sitting: Sitting, history: History, advance: Advance, checkpoint_every: int, log_every: int) -> None:
    """Make the steps that are left.

    Raises:
        RunError: a number is no longer finite, or the folder cannot be written.
        KeyboardInterrupt: a signal came to this process, or to another one of those that train.
    """
    update, steps = sitting.update, sitting.update.settings.steps
    advance(sitting.step)
    deterministic = deterministic_algorithms(update.settings.deterministic)
    with held_interrupt() as interrupted, kept_memory(), deterministic:
        while sitting.step < steps:
            terms, record = update(sitting.step, sitting.advice)
            sitting.step += 1
            step = sitting.step
            last = step == steps
            if step == max(steps // 3, SETTLED) and rank() == 0:
                warn_of_collapse(terms, step)
            if step % log_every == 0 or last:
                numbers = {name: float(value) for name, value in record.items()}
                history.append({"step": step, **numbers, **terms.summary()})
            stop = agreed(interrupted())
            if step % checkpoint_every == 0 or last or stop:
                history.settle()
                sitting.save()
            advance(1, f"elbo {record['elbo']:.1f}")
            if stop:
                raise stop


def agreed(stop: KeyboardInterrupt | None) -> KeyboardInterrupt | None:
    """What came to any of the processes: all of them stop after the same step."""
    number = 0
    if stop is not None:
        number = getattr(stop, "number", signal.SIGINT)
    number = largest(number)
    if number and stop is None:
        return exception_of(number)
    return stop


def precision_of(folder: Path | None, device: torch.device) -> str:
    """What the run in a folder began with; of a new run, what is fastest."""
    before = {}
    if folder is not None:
        before = settings_before(folder)
    return str(before.get("precision", fastest(device)))
