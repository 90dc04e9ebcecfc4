"""Run folders: a spec, the model that came of it, and everything measured on that model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from seatbelt_vae.attacks import Assessment, AttackResult
from seatbelt_vae.data import Split, available
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments.build import label
from seatbelt_vae.experiments.environment import environment
from seatbelt_vae.experiments.images import moved_to, open_data
from seatbelt_vae.experiments.lock import hold
from seatbelt_vae.experiments.record import Record
from seatbelt_vae.experiments.results import ORIGIN, Read, of_model, without
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.manifest import FILE as MANIFEST
from seatbelt_vae.measures import Attacked
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.models.pretrained import WEIGHTS
from seatbelt_vae.signals import finishing
from seatbelt_vae.storage import begin, digest_of, read_bytes, read_json, read_tensors, write_json, write_tensors
from seatbelt_vae.training import read_history, steps_done
from seatbelt_vae.training.checkpoint import FILE as STATE

SPEC = "spec.json"
EVALUATION = "evaluation.json"
ENVIRONMENT = "environment.json"
ATTACKS = "attacks"
MEASURED = "evaluation"
ASSESSMENT = ".assessment.safetensors"
WHOLE = (".json", ".safetensors", ASSESSMENT)
"""How the names of the files of an attack end."""


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run; made by `create`, found by `open`.

    Holds ``spec.json``, ``config.json`` and ``model.safetensors``, ``training.safetensors``, ``metrics.jsonl``,
    ``environment.json``, ``evaluation.json`` with ``evaluation/<measurement>.safetensors``, ``attacks/<id>.json`` with
    their tensors, and ``manifest.jsonl`` with the SHA-256 of them all: what is damaged is refused when it is read.
    What was measured or attacked on another ``model.safetensors`` does not count.

    Attributes:
        path: the folder.
        spec: what was asked for, every default written out.
        moved: where the data are now, if not where the spec says.
    """

    path: Path
    spec: ExperimentSpec
    moved: str | None = None

    @classmethod
    def create(cls, path: str | Path, spec: ExperimentSpec) -> "RunFolder":
        """Make a run's folder, or take up the one that holds the very same spec.

        Args:
            path: the folder.
            spec: a resolved spec.

        Raises:
            InputError: the folder holds another spec (the message names what differs) or is no folder.
            RunError: it cannot be written.
        """
        path = Path(path)
        if _exists(path) and not path.is_dir():
            raise InputError(f"{path}: is a file, a run needs a folder")
        if _exists(path / SPEC):
            folder = cls.open(path)
            folder._be_of(spec, "choose another folder")
            return folder
        begin(path)
        write_json(path / SPEC, spec.model_dump(mode="json"))
        return cls(path, spec)

    @classmethod
    def open(cls, path: str | Path, data: str | None = None) -> "RunFolder":
        """Take up a run's folder.

        Args:
            path: the folder.
            data: where its images are now, if they were moved; the digest must agree.

        Raises:
            InputError: there is no run in it.
        """
        path = Path(path)
        if not _exists(path / SPEC):
            raise InputError(f"{path}: is not a run folder (it has no {SPEC}), give one that seatbelt train wrote")
        tables = read_json(path / SPEC)
        if not isinstance(tables, Mapping):
            raise InputError(f"{path / SPEC}: is not a spec")
        return cls(path, ExperimentSpec.of(tables, str(path / SPEC)), data)

    def extended(self, spec: ExperimentSpec) -> "RunFolder":
        """The same run for more steps. What was measured and attacked before no longer counts once it goes on.

        Args:
            spec: the run's own, but for the steps.

        Raises:
            InputError: it differs in more, or the run is not finished.
            RunError: another process is at work on the run, or it cannot be written.
        """
        wanted = spec.training.steps
        same = spec.changed(training={"steps": self.spec.training.steps})
        self._be_of(same, "only the number of steps may change")
        if wanted == self.spec.training.steps:
            return self
        if not self.finished:
            raise InputError(f"{self._unfinished()}; then extend it")
        if wanted < self.step:
            raise InputError(f"{self.path}: has done {self.step} steps, use more, not {wanted}")
        with hold(self.path):
            write_json(self.path / SPEC, spec.model_dump(mode="json"))
        return RunFolder(self.path, spec)

    def _be_of(self, spec: ExperimentSpec, advice: str) -> None:
        """Refuse the folder if it holds a run of another spec."""
        differences = spec.differences(self.spec)
        if len(differences) == 1 and spec.training.steps > self.spec.training.steps:
            advice += ", or go on for more steps with --extend"
        if differences:
            raise InputError(f"{self.path}: holds another run ({'; '.join(differences)}), {advice}")

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.resolve().name

    @property
    def step(self) -> int:
        """Number of training steps whose state is safe on disk."""
        return steps_done(self.path)

    @property
    def finished(self) -> bool:
        """Whether the training has come to its end."""
        return self.step >= self.spec.training.steps

    def model(self) -> HierarchicalVAE:
        """Load the trained model, on the CPU.

        Raises:
            InputError: the training is not finished.
        """
        if not self.finished:
            raise InputError(self._unfinished())
        read_bytes(self.path / STATE)  # which says so
        return HierarchicalVAE.from_pretrained(self.path)

    def _unfinished(self) -> str:
        done, steps = self.step, self.spec.training.steps
        again = f"finish it with: seatbelt train --out {self.path} --resume"
        return f"{self.path}: is trained for {done} of {steps} steps, {again}"

    @property
    def model_digest(self) -> str | None:
        """SHA-256 of the model's file, by which a result is known to be of it; None where there is none."""
        return digest_of(self.path / WEIGHTS)

    def origin(self, device: Any) -> dict[str, Any]:
        """What every result carries: hashes of the run's spec, its data and its model, and `environment`."""
        known = {"run": self.spec.digest, "data": self.spec.data.digest, "model": self.model_digest}
        return {**known, **environment(device)}

    @cached_property
    def split(self) -> Split:
        """The run's training and test data.

        Raises:
            InputError: the data are gone, or are no longer the same.
        """
        spec = self.spec.data
        if self.moved is not None:
            spec = moved_to(spec, self.moved)
        try:
            dataset = open_data(spec)
        except InputError as error:
            if self.moved is not None or Path(spec.path or spec.name).exists() or spec.name in dict(available()):
                raise
            raise InputError(f"{error}; if the data were moved, say where they are with --data") from error
        if spec.digest not in (None, dataset.digest):
            raise InputError(f"{spec.name}: is not the data that {self.path} was trained on (digest differs)")
        return dataset.split(spec.test, spec.seed)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The records of the training."""
        return read_history(self.path)

    @property
    def evaluation(self) -> dict[str, Any]:
        """What was measured on this model; empty if nothing was."""
        path = self.path / EVALUATION
        if not path.exists():
            return {}
        value = read_json(path)
        if not isinstance(value, dict):
            raise InputError(f"{path}: must hold a table of measurements; delete it, and evaluate again")
        made = value.get("measurements")
        if isinstance(made, dict):
            model = self.model_digest
            for name in [name for name, note in made.items() if not self._holds(name, note, model)]:
                value = without(value, name)
        return value

    def _holds(self, name: str, note: Any, model: str | None) -> bool:
        """Whether a measurement is of this model, says how it was made, and has the tensors that it left."""
        if not isinstance(note, dict) or not isinstance(note.get("settings"), dict):
            return False
        if note.get("tensors") and not (self.path / MEASURED / f"{name}.safetensors").exists():
            return False
        return of_model(note, model)

    def save_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Write ``evaluation.json``.

        Raises:
            RunError: the folder is gone, or cannot be written.
        """
        self._be_there()
        write_json(self.path / EVALUATION, dict(evaluation))

    def measured(self, name: str) -> dict[str, Tensor]:
        """The tensors that a measurement left, such as one number an image; none if there are none.

        Raises:
            InputError: the file is corrupt.
        """
        path = self.path / MEASURED / f"{name}.safetensors"
        if name not in self.evaluation.get("measurements", {}) or not path.exists():
            return {}
        return read_tensors(path)

    def save_measured(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write the tensors of a measurement, if it has any.

        Raises:
            RunError: the folder is gone, or cannot be written.
        """
        self._be_there()
        if tensors:
            write_tensors(self.path / MEASURED / f"{name}.safetensors", tensors)

    @property
    def environment(self) -> list[dict[str, Any]]:
        """With which libraries and on which machine the run was trained: a record for each sitting that differed."""
        path = self.path / ENVIRONMENT
        if not path.exists():
            return []
        value = read_json(path)
        if not isinstance(value, list) or not all(isinstance(sitting, dict) for sitting in value):
            raise InputError(f"{path}: must hold a list of tables; delete it")
        return value

    def add_environment(self, here: Mapping[str, Any]) -> None:
        """Note where the training goes on from here; a sitting like the one before is not noted again."""
        known = self.environment
        if known and {**known[-1], "step": None} == {**here, "step": None}:
            return
        write_json(self.path / ENVIRONMENT, [*known, {"step": self.step, **here}])

    @property
    def attacks_path(self) -> Path:
        """The folder of the attacks."""
        return self.path / ATTACKS

    @property
    def attacks(self) -> tuple[str, ...]:
        """Names of the attacks that are whole: made, measured and saved; in the order of the alphabet.

        Raises:
            InputError: they have the form of an earlier version.
        """
        found = [path.name.removesuffix(ASSESSMENT) for path in self.attacks_path.glob(f"*{ASSESSMENT}")]
        model = self.model_digest
        return tuple(sorted(name for name in found if self._counts(name, model)))

    def _counts(self, name: str, model: str | None) -> bool:
        """Whether an attack is whole and of this model. A damaged one counts: who reads it is told."""
        if not all((self.attacks_path / f"{name}{ending}").exists() for ending in WHOLE):
            return False
        try:
            settings = read_json(self.attacks_path / f"{name}.json")
        except InputError:
            return True
        if isinstance(settings, dict) and "mode" in settings:
            upgrade = f"bring them up to date: seatbelt upgrade {self.path}"
            raise InputError(f"{self.path}: holds attacks of an earlier version, {upgrade}")
        return not isinstance(settings, dict) or of_model(settings, model)

    def attack(self, name: str) -> Attacked:
        """Load an attack and what the model made of its images.

        Raises:
            InputError: there is no such attack.
        """
        if not self._counts(name, self.model_digest):
            known = ", ".join(self.attacks) or "none"
            raise InputError(f"{self.path}: has no attack {name!r}, it has: {known}")
        result = AttackResult.load(self.attacks_path, name)
        result.settings.pop(ORIGIN, None)
        return Attacked(result, Assessment.load(self.attacks_path, name))

    def save_attack(self, name: str, attacked: Attacked, origin: Mapping[str, Any]) -> None:
        """Write an attack and where it comes from; it counts once its assessment is there, which is written last.

        Raises:
            RunError: the folder is gone, or cannot be written.
        """
        self._be_there()
        settings = {**attacked.result.settings, ORIGIN: dict(origin)}
        with finishing(f"stopped after the attack {name}, which is kept; the same command goes on"):
            replace(attacked.result, settings=settings).save(self.attacks_path, name)
            attacked.assessment.save(self.attacks_path, name)

    def _be_there(self) -> None:
        if not (self.path / SPEC).exists():
            raise RunError(f"{self.path}: is gone, what was computed is not kept")

    def record(self, name: str | None = None) -> Record:
        """All that is known of the run, for tables and reports; attacks and tensors are read when they are asked for.

        Args:
            name: of the run among others; the folder's by default.
        """
        evaluation = self.evaluation
        made = evaluation.get("measurements", {})
        return Record(
            name=name or self.name,
            label=label(self.spec),
            settings=self.spec.model_dump(mode="json", exclude_none=True),
            evaluation=evaluation,
            attacks=Read(self.attacks, self.attack),
            history=self.history,
            measured=Read(tuple(made), self.measured),
            environment=self.environment,
        )


def runs_in(path: str | Path) -> list[Path]:
    """The run folders of a store, or the one run folder that it is; one that has lost its spec among them.

    Raises:
        InputError: there is none.
    """
    path = Path(path)
    runs = sorted({found.parent for name in (SPEC, MANIFEST) for found in [*path.glob(name), *path.glob(f"*/{name}")]})
    if not runs:
        raise InputError(f"{path}: holds no run, give a run's folder or a folder of them")
    return runs


def _exists(path: Path) -> bool:
    """Whether a file is there; a name that the file system does not take is wrong input."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise InputError(
            f"{str(path)[:80]}…: is no usable path ({getattr(error, 'strerror', None) or error})"
        ) from error
    return True
