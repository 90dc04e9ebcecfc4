"""Files that are damaged, signals, and runs that go on for longer: one line each, and nothing silent."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import ELBO, Terms
from seatbelt_vae.training import Checkpoint, Terminated, read_history, seconds_spent, steps_done, train
from seatbelt_vae.training.checkpoint import FILE

Make = Callable[..., HierarchicalVAE]
Train = Callable[..., Any]


@pytest.fixture
def run(images: ImageDataset, make_model: Make) -> Train:
    def run(**options: Any) -> Any:
        options = {"objective": ELBO(), "steps": 4, "batch_size": 8, "device": "cpu", "log_every": 1, **options}
        return train(make_model(), images, **options)

    return run


@dataclass(frozen=True)
class Signalled(ELBO):
    """The ELBO, with a signal in the middle of the third step."""

    number: int = signal.SIGTERM

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == 2:
            os.kill(os.getpid(), self.number)
        return super().__call__(encoding, x, data_size)

    def __repr__(self) -> str:
        return repr(ELBO(step=self.step))


def weights(folder: Path) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(folder / "model.safetensors").items()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_what_a_scheduler_sends_is_as_ctrl_c(run: Train, tmp_path: Path, number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Terminated) as caught:
        run(objective=Signalled(number=number), out=tmp_path / "parts")
    assert caught.value.number == number
    assert isinstance(caught.value, KeyboardInterrupt)
    assert signal.getsignal(number) is before
    assert steps_done(tmp_path / "parts") == 3
    run(out=tmp_path / "parts", resume=True)
    run(out=tmp_path / "whole")
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")


def test_ctrl_c_is_no_termination(run: Train, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        run(objective=Signalled(number=signal.SIGINT), out=tmp_path)
    assert type(caught.value) is KeyboardInterrupt


HEADERS: dict[str, tuple[str, Tensor | None]] = {
    "no step": ("step", None),
    "step -1": ("step", torch.tensor(-1)),
    "step of two": ("step", torch.tensor([1, 2])),
    "step a float": ("step", torch.tensor(1.0)),
    "step uint64": ("step", torch.tensor(2**63, dtype=torch.uint64)),
    "no seconds": ("seconds", None),
    "seconds nan": ("seconds", torch.tensor(float("nan"), dtype=torch.float64)),
    "seconds of two": ("seconds", torch.zeros(2, dtype=torch.float64)),
    "no settings": ("settings", None),
    "settings a list": ("settings", torch.tensor(list(b"[1]"), dtype=torch.uint8)),
    "settings no JSON": ("settings", torch.tensor(list(b"{"), dtype=torch.uint8)),
    "settings no text": ("settings", torch.tensor([255, 254], dtype=torch.uint8)),
    "settings deep": ("settings", torch.tensor(list(b"[" * 100_000), dtype=torch.uint8)),
    "settings floats": ("settings", torch.tensor([1.5])),
    "settings a matrix": ("settings", torch.zeros(2, 2, dtype=torch.uint8)),
}


def rewritten(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    """Change the tensors of a checkpoint that has no manifest, as those of earlier versions."""
    (folder / "manifest.jsonl").unlink(missing_ok=True)
    tensors = load_file(folder / FILE)
    change(tensors)
    save_file(tensors, folder / FILE)


@pytest.mark.parametrize(("name", "value"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_none_is_one_line(run: Train, tmp_path: Path, name: str, value: Tensor | None) -> None:
    run(out=tmp_path)

    def change(tensors: dict[str, Tensor]) -> None:
        tensors.pop(name)
        if value is not None:
            tensors[name] = value

    rewritten(tmp_path, change)
    with pytest.raises(InputError, match=f"{FILE}: is not a training state of this program") as caught:
        Checkpoint.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    reader = {"step": steps_done, "seconds": seconds_spent}.get(name, Checkpoint.load)
    with pytest.raises(InputError, match="is not a training state"):
        reader(tmp_path)


def moments(tensors: dict[str, Tensor]) -> list[str]:
    return [name for name in tensors if name.startswith("model.optimiser/0/")]


def without_a_moment(tensors: dict[str, Tensor]) -> None:
    del tensors["model.optimiser/0/exp_avg"]


def of_another_shape(tensors: dict[str, Tensor]) -> None:
    tensors["model.optimiser/0/exp_avg"] = torch.zeros(3)


def swapped(tensors: dict[str, Tensor]) -> None:
    first, other = "model.optimiser/0/exp_avg", "model.optimiser/1/exp_avg"
    tensors[first], tensors[other] = tensors[other], tensors[first]


def of_whole_numbers(tensors: dict[str, Tensor]) -> None:
    tensors["model.optimiser/0/exp_avg"] = tensors["model.optimiser/0/exp_avg"].to(torch.uint64)


def of_no_parameter(tensors: dict[str, Tensor]) -> None:
    tensors["model.optimiser/999/exp_avg"] = torch.zeros(3)


def without_a_number(tensors: dict[str, Tensor]) -> None:
    tensors["model.optimiser/x/exp_avg"] = torch.zeros(3)


def weights_of_whole_numbers(tensors: dict[str, Tensor]) -> None:
    tensors["model/posterior.features.0.bias"] = torch.zeros(3, dtype=torch.uint64)


def without_a_weight(tensors: dict[str, Tensor]) -> None:
    del tensors["model/posterior.features.0.bias"]


@pytest.mark.parametrize(
    "change",
    [
        without_a_moment,
        of_another_shape,
        swapped,
        of_whole_numbers,
        of_no_parameter,
        without_a_number,
        weights_of_whole_numbers,
        without_a_weight,
    ],
)
def test_a_state_that_does_not_fit_is_one_line(
    run: Train, tmp_path: Path, change: Callable[[dict[str, Tensor]], None]
) -> None:
    run(out=tmp_path)
    rewritten(tmp_path, change)
    with pytest.raises(InputError, match="holds the weights of another model") as caught:
        run(out=tmp_path, resume=True)
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_anywhere_is_seen(run: Train, tmp_path: Path) -> None:
    """Weights, moments, names, settings: nothing of the content can be changed without a word."""
    run(out=tmp_path)
    path = tmp_path / FILE
    content = path.read_bytes()
    generator = torch.Generator().manual_seed(0)
    for place in torch.randint(len(content), (300,), generator=generator).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"is damaged or of another run") as caught:
            Checkpoint.load(tmp_path)
        assert "\n" not in str(caught.value)


def test_what_earlier_versions_wrote_is_read(run: Train, tmp_path: Path) -> None:
    run(out=tmp_path)
    rewritten(tmp_path, lambda tensors: None)
    assert run(out=tmp_path, resume=True).steps == 4


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        "[1, 2]",
        "3",
        '{"loss": 1.0}',
        '{"step": "two"}',
        '{"step": true}',
        '{"step": -2}',
        '{"step": 2, "loss": {"a": 1}}',
        '{"step": 2, "loss": NaN}',
        '{"step": 2, "loss": 1e999}',
        '{"step": 2, "loss": ' + "9" * 4000 + "}",
        '{"step": ' + "9" * 5000 + "}",
    ],
)
def test_history_ends_before_a_line_that_is_no_record(tmp_path: Path, line: str) -> None:
    text = '{"step": 1, "loss": 2.5}\n' + line + '\n{"step": 3, "loss": 2.0}\n'
    (tmp_path / "metrics.jsonl").write_text(text)
    assert read_history(tmp_path) == [{"step": 1, "loss": 2.5}]


def test_history_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(InputError, match=r"metrics\.jsonl: cannot be read"):
        read_history(tmp_path)


def test_a_finished_run_goes_on_for_more_steps(run: Train, tmp_path: Path) -> None:
    """From its own weights and moments, at the learning rate of the longer schedule; interrupted or not, to the bit."""
    run(out=tmp_path)
    with pytest.raises(InputError, match=r"was trained with steps 4, not 8; .*go on for more steps with extend"):
        run(out=tmp_path, resume=True, steps=8)
    longer = run(out=tmp_path, extend=True, steps=8)
    assert [record["step"] for record in longer.history] == list(range(1, 9))
    assert longer.history[4]["lr"] == pytest.approx(1e-3 / 2)  # step 4 of 8, counted from 0
    assert steps_done(tmp_path) == 8
    assert Checkpoint.load(tmp_path).settings["steps"] == 8

    run(out=tmp_path / "other")
    with pytest.raises(KeyboardInterrupt):
        run(out=tmp_path / "other", extend=True, steps=8, objective=Late())
    run(out=tmp_path / "other", resume=True, steps=8)
    assert weights(tmp_path) == weights(tmp_path / "other")


@dataclass(frozen=True)
class Late(ELBO):
    """The ELBO, with Ctrl-C in the sixth step."""

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return super().__call__(encoding, x, data_size)

    def __repr__(self) -> str:
        return repr(ELBO(step=self.step))


def test_what_is_not_finished_is_not_extended(run: Train, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(objective=Signalled(number=signal.SIGINT), out=tmp_path)
    with pytest.raises(InputError, match="stopped at step 3 of 4; resume it first, then extend it"):
        run(out=tmp_path, extend=True, steps=8)


def test_a_run_does_not_get_shorter(run: Train, tmp_path: Path) -> None:
    run(out=tmp_path)
    with pytest.raises(InputError, match="has done 4 steps, use at least as many, not 2"):
        run(out=tmp_path, extend=True, steps=2)


def test_a_thousand_million_steps_are_not_laid_out(run: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed before the first step does not grow with their number."""
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(Terminated):
        run(objective=Signalled(), steps=10**9)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
