"""Run folders: a spec, the model that came of it, and everything measured on that model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.data import ImageDataset, Split, available, load_dataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.assessment import Assessment
from seatbelt_vae.experiments.damage import DamageAssessment
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors
from seatbelt_vae.training import read_history, steps_done

SPEC, EVALUATION, ATTACKS = "spec.json", "evaluation.json", "attacks"
MEASURED, ENVIRONMENT = "evaluation", "environment.json"


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run; made by `create`, found by `open`.

    Holds ``spec.json``, ``config.json`` and ``model.safetensors``, ``training.safetensors``, ``metrics.jsonl``,
    ``environment.json``, ``evaluation.json`` with ``evaluation/<measurement>.safetensors`` and ``attacks/<id>.json``
    with their tensors.

    Attributes:
        path: the folder.
        spec: what was asked for, every default written out.
    """

    path: Path
    spec: ExperimentSpec

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
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file, a run needs a folder")
        if (path / SPEC).exists():
            folder = cls.open(path)
            if differences := spec.differences(folder.spec):
                raise InputError(f"{path}: holds another run ({'; '.join(differences)}), choose another folder")
            return folder
        write_json(path / SPEC, spec.model_dump(mode="json"))
        return cls(path, spec)

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Take up a run's folder.

        Raises:
            InputError: there is no run in it.
        """
        path = Path(path)
        if not (path / SPEC).is_file():
            raise InputError(f"{path}: is not a run folder (it has no {SPEC}), give one that seatbelt train wrote")
        tables = read_json(path / SPEC)
        if not isinstance(tables, Mapping):
            raise InputError(f"{path / SPEC}: is not a spec")
        return cls(path, ExperimentSpec.of(tables, str(path / SPEC)))

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
        if (step := self.step) < self.spec.training.steps:
            raise InputError(
                f"{self.path}: is trained for {step} of {self.spec.training.steps} steps, "
                f"finish it with: seatbelt train --out {self.path} --resume"
            )
        return HierarchicalVAE.from_pretrained(self.path)

    @cached_property
    def split(self) -> Split:
        """The run's training and test data.

        Raises:
            InputError: the data are gone, or are no longer the same.
        """
        dataset = open_data(self.spec.data)
        if self.spec.data.digest not in (None, dataset.digest):
            raise InputError(f"{self.spec.data.name}: is not the data that {self.path} was trained on (digest differs)")
        return dataset.split(self.spec.data.test, self.spec.data.seed)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The records of the training."""
        return read_history(self.path)

    @property
    def evaluation(self) -> dict[str, Any]:
        """What was measured on the model; empty if nothing was."""
        path = self.path / EVALUATION
        value = read_json(path) if path.exists() else {}
        if not isinstance(value, dict):
            raise InputError(f"{path}: must hold a table of measurements; delete it, and evaluate again")
        return value

    def save_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Write ``evaluation.json``."""
        write_json(self.path / EVALUATION, dict(evaluation))

    def measured(self, name: str) -> dict[str, Tensor]:
        """The tensors that a measurement left, such as one number an image; none if there are none.

        Raises:
            InputError: the file is corrupt.
        """
        path = self.path / MEASURED / f"{name}.safetensors"
        made = name in self.evaluation.get("measurements", {})
        return read_tensors(path) if made and path.exists() else {}

    def save_measured(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write the tensors of a measurement, if it has any."""
        if tensors:
            write_tensors(self.path / MEASURED / f"{name}.safetensors", tensors)

    @property
    def environment(self) -> list[dict[str, Any]]:
        """With which libraries and on which machine the run was trained: a record for each sitting that differed."""
        path = self.path / ENVIRONMENT
        value: list[dict[str, Any]] = read_json(path) if path.exists() else []
        return value

    def add_environment(self, here: Mapping[str, Any]) -> None:
        """Note where the training goes on from here; a sitting like the one before is not noted again."""
        known = self.environment
        if not known or {**known[-1], "step": None} != {**here, "step": None}:
            write_json(self.path / ENVIRONMENT, [*known, {"step": self.step, **here}])

    @property
    def attacks_path(self) -> Path:
        """The folder of the attacks."""
        return self.path / ATTACKS

    @property
    def attacks(self) -> tuple[str, ...]:
        """Names of the attacks that are whole: made, measured and saved; in the order of the alphabet."""
        measured = self.attacks_path.glob("*.assessment.safetensors")
        names = (path.name.removesuffix(".assessment.safetensors") for path in measured)
        return tuple(sorted(name for name in names if (self.attacks_path / f"{name}.json").exists()))

    def attack(self, name: str) -> tuple[AttackResult, Assessment | DamageAssessment]:
        """Load an attack and what it gained; a damage attack has an assessment of its own kind.

        Raises:
            InputError: there is no such attack.
        """
        if name not in self.attacks:
            known = ", ".join(self.attacks) or "none"
            raise InputError(f"{self.path}: has no attack {name!r}, it has: {known}")
        result = AttackResult.load(self.attacks_path, name)
        kind = DamageAssessment if result.settings.get("mode") == "damage" else Assessment
        return result, kind.load(self.attacks_path, name)


def open_data(spec: DataSpec) -> ImageDataset:
    """Load the data that a spec names.

    Raises:
        InputError: there is no such data, or an option does not go with it.
    """
    options = spec.model_dump(exclude={"name", "test", "digest"}, exclude_none=True)
    return load_dataset(spec.name, **options)


def located(spec: DataSpec) -> DataSpec:
    """Make the paths of data absolute, so that the run can be taken up from another folder; names stay names."""
    absolute = {
        field: str(Path(value).expanduser().resolve())
        for field, value in (("name", spec.name), ("path", spec.path))
        if value is not None and value not in dict(available()) and (field == "path" or Path(value).exists())
    }
    return spec.model_copy(update=absolute)
