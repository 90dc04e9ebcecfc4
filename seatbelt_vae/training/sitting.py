"""One sitting at a run's folder: what is there is gone on from, and what is reached is kept."""

import dataclasses
import json
import time
import warnings
from pathlib import Path
from typing import Any

from seatbelt_vae.distributed import broadcast, on_rank_zero, world_size
from seatbelt_vae.errors import InputError
from seatbelt_vae.models.pretrained import saved
from seatbelt_vae.objectives import Objective
from seatbelt_vae.storage import begin
from seatbelt_vae.training.checkpoint import FILE, Checkpoint
from seatbelt_vae.training.state import restore_training, training_state
from seatbelt_vae.training.update import Update

Identity = dict[str, Any]


class ResumeWarning(UserWarning):
    """A run goes on otherwise than it began."""


class Sitting:
    """The state of a run, in memory and, if there is a folder, on disk.

    Args:
        update: what is trained.
        folder: the run's folder; None writes nothing.
        resume: go on from the checkpoint in the folder, if there is one.
        extend: that run is finished, and may have had fewer steps.

    Attributes:
        step: number of steps done.
        saved: step of the last checkpoint.

    Raises:
        InputError: the folder holds a checkpoint that cannot be gone on from.
    """

    def __init__(self, update: Update, folder: Path | None, resume: bool, extend: bool) -> None:
        self.update = update
        self.folder = folder
        self.identity = identity_of(update)
        self.step = 0
        before = 0.0
        if folder is not None:
            on_rank_zero(lambda: begin(folder))
        if folder is not None and (folder / FILE).exists():
            checkpoint = Checkpoint.load(folder)
            if not (resume or extend):
                raise InputError(
                    f"{folder}: holds a checkpoint of step {checkpoint.step}; resume, or choose another folder"
                )
            check_same(folder, checkpoint, self.identity, extend)
            restore_training(checkpoint.state, update.modules, update.optimisers)
            self.step = checkpoint.step
            before = checkpoint.seconds
            on_rank_zero(self._mend)
        for module in update.modules.values():
            broadcast(module.state_dict().values())
        self.saved = self.step
        self.started = time.perf_counter() - before

    @property
    def seconds(self) -> float:
        """Time that the steps took, over all sittings."""
        return max(0.0, time.perf_counter() - self.started)

    def save(self) -> None:
        """Write the model, then the training state: the latter is the truth, so what it calls finished is whole.

        Raises:
            RunError: the folder cannot be written.
        """
        if self.folder is None:
            return
        on_rank_zero(self._write)
        self.saved = self.step

    def _write(self) -> None:
        assert self.folder is not None
        self.update.model.save_pretrained(self.folder)
        state = training_state(self.update.modules, self.update.optimisers)
        Checkpoint(self.step, self.seconds, self.identity, state).save(self.folder)

    def _mend(self) -> None:
        assert self.folder is not None
        if not saved(self.folder):  # somebody has deleted what was damaged
            self.update.model.save_pretrained(self.folder)

    @property
    def advice(self) -> str:
        """What is kept, and what to try, if a number is no longer finite."""
        settings = self.update.settings
        kept = ""
        if self.folder and self.saved:
            kept = f"the checkpoint of step {self.saved} in {self.folder} is kept, "
        return f"; {kept}try a smaller lr (now {settings.lr:g}) or clip_norm (now {settings.clip_norm})"


def identity_of(update: Update) -> Identity:
    """What a resumed run has to agree with, as JSON."""
    recipe = json.loads(json.dumps(update.model.recipe))
    return {
        **dataclasses.asdict(update.settings),
        "data": update.dataset.digest,
        "objective": name_of(update.objective),
        "model": recipe,
        "processes": world_size(),
    }


def name_of(objective: Objective) -> str:
    """An objective with its settings, if it is a dataclass, else its class's name."""
    if dataclasses.is_dataclass(objective):
        return repr(objective)
    return type(objective).__name__


def check_same(folder: Path, checkpoint: Checkpoint, identity: Identity, extend: bool) -> None:
    """Refuse a checkpoint of another run, and of one that cannot be made longer.

    Another number of processes is no other run: it rounds sums otherwise, and pairs images with other targets where
    training is targeted.

    Raises:
        InputError: it is.
    """
    for name, value in identity.items():
        was = checkpoint.settings.get(name, value)  # older ones do not name the model
        if was == value or (name == "steps" and extend):
            continue
        if name == "processes":
            warnings.warn(
                f"{folder}: was trained by {was} processes and goes on with {value}: no longer the same to the bit",
                ResumeWarning,
                stacklevel=2,
            )
            continue
        raise InputError(f"{folder}: was trained with {name} {was}, not {value}; {way_out(name)}")
    done, steps = checkpoint.step, identity["steps"]
    if done > steps:
        raise InputError(f"{folder}: has done {done} steps, use at least as many, not {steps}")
    length = checkpoint.settings.get("steps", steps)
    if steps != length and done != length:
        raise InputError(f"{folder}: stopped at step {done} of {length}; resume it first, then extend it")


def way_out(name: str) -> str:
    """What to do about a setting that does not agree.

    Example:
        >>> way_out("lr")
        'choose another folder'
    """
    if name == "steps":
        return "choose another folder, or go on for more steps with extend"
    return "choose another folder"
