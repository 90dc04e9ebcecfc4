"""Training's whole state in one safetensors file: weights, optimisers, step; either whole or absent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import read_tensors, write_tensors

FILE = "training.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """The state after a step. No generator is in it: all randomness is a function of (seed, step).

    Attributes:
        step: number of steps done.
        seconds: time they took, over all sittings.
        settings: what the run was started with; a resumed run has to agree.
        state: weights and optimisers, see `training_state`.

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
        header = {
            "step": torch.tensor(self.step),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "settings": torch.frombuffer(bytearray(json.dumps(self.settings).encode()), dtype=torch.uint8),
        }
        return write_tensors(Path(folder) / FILE, {**header, **self.state})

    @classmethod
    def load(cls, folder: str | Path) -> "Checkpoint":
        """Read ``training.safetensors`` of a folder.

        Raises:
            InputError: the file is missing or is not a training state.
        """
        path = Path(folder) / FILE
        tensors = read_tensors(path)
        try:
            step, seconds = int(tensors.pop("step")), float(tensors.pop("seconds"))
            return cls(step, seconds, json.loads(bytes(tensors.pop("settings").tolist())), tensors)
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: is not a training state of this program ({error})") from error


def steps_done(folder: str | Path) -> int:
    """Give the step of the checkpoint in a folder, 0 where there is none.

    Raises:
        InputError: there is one and it is corrupt.
    """
    path = Path(folder) / FILE
    return int(_header(path, "step")) if path.exists() else 0


def seconds_spent(folder: str | Path) -> float:
    """Give the seconds that the steps of the checkpoint in a folder took, over all sittings.

    Raises:
        InputError: there is none, or it is corrupt.
    """
    return float(_header(Path(folder) / FILE, "seconds"))


def _header(path: Path, name: str) -> Tensor:
    """One of the small tensors, without reading the weights: sweeps look at many runs, again and again."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            value: Tensor = file.get_tensor(name)
            return value
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or 'no such file'})") from error
    except Exception as error:  # safetensors raises its own untyped errors
        raise InputError(f"{path}: is not a training state of this program ({error})") from error


def training_state(
    modules: Mapping[str, nn.Module], optimisers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Gather what training changes, by name: references, not copies.

    Returns:
        ``<module>/<tensor>`` and ``<module>.optimiser/<parameter index>/<quantity>``.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> sorted(training_state({"model": layer}, {"model": torch.optim.Adam(layer.parameters())}))
        ['model/bias', 'model/weight']
    """
    state = {f"{key}/{name}": value for key, module in modules.items() for name, value in module.state_dict().items()}
    for key, optimiser in optimisers.items():
        for index, entry in optimiser.state_dict()["state"].items():
            state |= {f"{key}.optimiser/{index}/{name}": value for name, value in entry.items()}
    return state


def restore_training(
    state: Mapping[str, Tensor],
    modules: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Put a state that `training_state` gave into modules of the same shapes and their optimisers.

    Raises:
        InputError: the weights are those of another model.
    """
    for key, module in modules.items():
        try:
            module.load_state_dict(_under(f"{key}/", state))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{FILE}: holds the weights of another {key} ({reason})") from error
    for key, optimiser in optimisers.items():
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(f"{key}.optimiser/", state).items():
            index, quantity = name.split("/", 1)
            entries.setdefault(int(index), {})[quantity] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
