"""What is to be done to a run, and doing it: train, measure, attack, once, whoever comes first."""

import traceback
from pathlib import Path
from typing import Any, Self

import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.attacking import run_attack
from seatbelt_vae.experiments.evaluation import EvaluationSettings, is_evaluated, run_evaluation
from seatbelt_vae.experiments.lock import lock
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.training_run import run_training
from seatbelt_vae.settings import Count, Section, checked
from seatbelt_vae.storage import read_json, remove, remove_temporaries, write_json

ERROR = "error.json"


class Task(Section):
    """What is to be done to a run whose folder holds its spec.

    Attributes:
        evaluate: how to measure it; None not at all.
        attacks: the attacks to make on it.
        device: where to compute.
        checkpoint_every: steps between checkpoints.
        log_every: steps between records.
        threads: of torch, in the process that does it; torch's own number by default.
    """

    evaluate: EvaluationSettings | None = None
    attacks: tuple[AttackSpec, ...] = ()
    device: str = "auto"
    checkpoint_every: Count = 500
    log_every: Count = 50
    threads: Count | None = None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote.

        Raises:
            InputError: the file is missing or is something else.
        """
        tables = read_json(path)
        if not isinstance(tables, dict):
            raise InputError(f"{path}: does not say what is to be done")
        return checked(cls, tables, str(path))

    def write(self, path: str | Path) -> Path:
        """Write it as JSON, atomically."""
        return write_json(path, self.model_dump(mode="json"))

    def left(self, folder: RunFolder) -> list[str]:
        """Name what is still to be done to a run: ``training``, ``evaluation`` and attacks, in that order."""
        parts = []
        if not folder.finished:
            parts.append("training")
        if self.evaluate and not is_evaluated(folder.evaluation, self.evaluate):
            parts.append("evaluation")
        if self.attacks:
            made = folder.attacks
            parts += [attack.name for attack in self.attacks if attack.name not in made]
        return parts

    def do(self, folder: RunFolder) -> None:
        """Do what is left to be done to a run."""
        if not folder.finished:
            run_training(
                folder.spec,
                folder.path,
                device=self.device,
                checkpoint_every=self.checkpoint_every,
                log_every=self.log_every,
            )
        if self.evaluate:
            run_evaluation(folder, self.evaluate, device=self.device)
        for attack in self.attacks:
            run_attack(folder, attack, device=self.device)


def perform(run: str, task: str) -> None:
    """Do what is left to be done to a run, unless another process is at it or it has failed before.

    This is all that an engine's worker does. A failure is kept in the folder, in ``error.json``, and not raised.

    Args:
        run: the run's folder, which holds its spec.
        task: the file that `Task.write` wrote.

    Raises:
        InputError: the file cannot be read.
        RunError: the failure cannot be written down.
        KeyboardInterrupt: Ctrl-C; nothing is lost.
    """
    todo = Task.read(task)
    path = Path(run)
    if todo.threads:
        torch.set_num_threads(todo.threads)
    with lock(path) as ours:
        if not ours or failure(path) is not None:
            return
        remove_temporaries(path)
        try:
            todo.do(RunFolder.open(path))
        except Exception as error:
            message = " ".join(str(error).split()) or type(error).__name__
            record_failure(path, message, traceback.format_exc())


def record_failure(folder: Path, message: str, details: str) -> None:
    """Keep why a run failed, in ``error.json``; it is not tried again until that is forgotten.

    Args:
        folder: the run's folder.
        message: one line.
        details: a traceback, or whatever helps to find the cause.
    """
    write_json(folder / ERROR, {"message": message, "details": details})


def failure(folder: Path) -> dict[str, Any] | None:
    """Give the ``message`` and the ``details`` of a run's failure, None where it has not failed."""
    if not (folder / ERROR).exists():
        return None
    found = read_json(folder / ERROR)
    if not isinstance(found, dict) or not {"message", "details"} <= set(found):
        raise InputError(f"{folder / ERROR}: is not a record of a failure, delete it")
    return found


def forget_failure(folder: Path) -> None:
    """Let a failed run be tried again.

    Raises:
        RunError: the record cannot be deleted.
    """
    remove(folder / ERROR)
