"""Training's whole state in one safetensors file: weights, optimisers, step; either whole or absent."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import read_tensors, write_tensors

FILE = "training.safetensors"
HEADER = {"step": torch.int64, "seconds": torch.float64, "settings": torch.uint8}
"""The tensors beside the state, and their types."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after a step. No generator is in it: all randomness is a function of (seed, step).

    Attributes:
        step: number of steps done.
        seconds: time they took, over all sittings.
        settings: what the run was started with; a resumed run has to agree.
        state: weights and optimisers, see :func:`seatbelt_vae.training.state.training_state`.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> _ = Checkpoint(3, 0.5, {"lr": 1e-3}, {"model/weight": torch.ones(2)}).save(folder)
        >>> Checkpoint.load(folder)
        Checkpoint(step=3, seconds=0.5, settings={'lr': 0.001}, state={'model/weight': tensor([1., 1.])})
    """

    step: int
    seconds: float
    settings: dict[str, Any]
    state: dict[str, Tensor]

    def save(self, folder: str | Path) -> Path:
        """Write ``training.safetensors`` in a folder, atomically.

        Raises:
            RunError: the file cannot be written; the one that was there is untouched.
        """
        tensors = {
            "step": torch.tensor(self.step),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "settings": as_bytes(json.dumps(self.settings)),
            **self.state,
        }
        return write_tensors(Path(folder) / FILE, tensors)

    @classmethod
    def load(cls, folder: str | Path) -> "Checkpoint":
        """Read ``training.safetensors`` of a folder.

        Raises:
            InputError: the file is missing, is not a training state, or is not what was written.
        """
        path = Path(folder) / FILE
        tensors = read_tensors(path)
        tensors.pop("digest", None)  # what an earlier version had in the place of the manifest
        step, seconds = step_of(path, tensors.pop("step", None)), seconds_of(path, tensors.pop("seconds", None))
        return cls(step, seconds, settings_of(path, tensors.pop("settings", None)), tensors)


def steps_done(folder: str | Path) -> int:
    """Give the step of the checkpoint in a folder, 0 where there is none.

    Raises:
        InputError: there is one and it is corrupt.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return 0
    return step_of(path, one_tensor(path, "step"))


def seconds_spent(folder: str | Path) -> float:
    """Give the seconds that the steps of the checkpoint in a folder took, over all sittings.

    Raises:
        InputError: there is none, or it is corrupt.
    """
    path = Path(folder) / FILE
    return seconds_of(path, one_tensor(path, "seconds"))


def one_tensor(path: Path, name: str) -> Tensor:
    """One of the small tensors, without reading the weights: sweeps look at many runs, again and again.

    Raises:
        InputError: the file or the tensor is not there.
    """
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            value: Tensor = file.get_tensor(name)
            return value
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or 'no such file'})") from error
    except Exception as error:  # safetensors raises its own untyped errors
        raise no_state(path, str(error)) from error


def step_of(path: Path, tensor: Tensor | None) -> int:
    """The step out of the file.

    Raises:
        InputError: it is no number of steps.
    """
    check(path, "step", tensor, dimensions=0)
    assert tensor is not None
    step = int(tensor)
    if step < 0:
        raise no_state(path, f"step is {step}")
    return step


def seconds_of(path: Path, tensor: Tensor | None) -> float:
    """The seconds out of the file.

    Raises:
        InputError: they are no length of time.
    """
    check(path, "seconds", tensor, dimensions=0)
    assert tensor is not None
    seconds = float(tensor)
    if not 0 <= seconds < float("inf"):
        raise no_state(path, f"seconds are {seconds}")
    return seconds


def settings_of(path: Path, tensor: Tensor | None) -> dict[str, Any]:
    """The settings out of the file.

    Raises:
        InputError: they are no table.
    """
    check(path, "settings", tensor, dimensions=1)
    assert tensor is not None
    try:
        settings = json.loads(tensor.numpy().tobytes())
    except (ValueError, RecursionError) as error:
        raise no_state(path, f"settings are no JSON: {error}") from error
    if not isinstance(settings, dict):
        raise no_state(path, "settings are no table")
    return settings


def check(path: Path, name: str, tensor: Tensor | None, dimensions: int) -> None:
    """Refuse a header tensor that is missing or of another form.

    Raises:
        InputError: it is.
    """
    if tensor is None:
        raise no_state(path, f"it has no {name}")
    if tensor.dtype != HEADER[name] or tensor.dim() != dimensions:
        raise no_state(path, f"{name} is {tensor.dtype} of shape {tuple(tensor.shape)}")


def no_state(path: Path, reason: str) -> InputError:
    """The error for a file that is something else."""
    return InputError(f"{path}: is not a training state of this program ({' '.join(reason.split())[:200]})")


def as_bytes(text: str) -> Tensor:
    """A text as a tensor of its bytes.

    Example:
        >>> as_bytes("ab")
        tensor([97, 98], dtype=torch.uint8)
    """
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
