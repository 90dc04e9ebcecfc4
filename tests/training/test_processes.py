"""Two processes train as one does. In float64, so that nothing but rounding can differ, and by next to nothing."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.distributed import join
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import ELBO, HFVAE, Adversarial, BetaTC, Denoising, FactorVAE, HoldMSE, Objective, Terms
from seatbelt_vae.storage import read_tensors, write_tensors
from seatbelt_vae.training import read_history, train
from seatbelt_vae.training.whole_batch import batch_norm
from tests.processes import together

Make = Callable[..., HierarchicalVAE]
STEPS, BATCH = 4, 8
OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "free bits": lambda: ELBO(free_bits=0.1),
    "mws": lambda: BetaTC(estimator="mws", tc_samples=16),
    "mss": lambda: BetaTC(estimator="mss"),
    "leave-one-in": lambda: HFVAE(groups=((0,), (1,))),
    "discriminator": lambda: FactorVAE.for_latent_size(2, width=4),
    "adversarial": lambda: HoldMSE(Adversarial(BetaTC(), radius=2.0, inner_steps=2), mse=0.01),
    "denoising": lambda: Denoising(ELBO(), radius=2.0),
}


@pytest.fixture
def run(images: ImageDataset, make_model: Make) -> Callable[..., HierarchicalVAE]:
    def run(objective: Objective, seed: int = 0, **options: Any) -> HierarchicalVAE:
        model = make_model()
        if seed:  # weights of its own
            torch.manual_seed(seed)
            for parameter in model.parameters():
                torch.nn.init.normal_(parameter)
        options = {"steps": STEPS, "batch_size": BATCH, "device": "cpu", "log_every": 1, **options}
        return train(model.double(), images, objective, **options).model

    return run


def weights(folder: Path) -> dict[str, Tensor]:
    return read_tensors(folder / "model.safetensors")


def test_two_processes_make_one_process_s_curve_and_weights(run: Callable[..., Any], tmp_path: Path) -> None:
    """With batch norm, and whatever looks at the whole batch; rank 1 begins with other weights, which do not count.

    Adam makes steps of 1e-9 out of rounding where a gradient is 0, that of a bias before batch norm; the inner steps of
    robust training see that, since running means lag behind.
    """

    def work(rank: int) -> None:
        for name, objective in OBJECTIVES.items():
            model = run(objective(), seed=rank, out=tmp_path / name)
            write_tensors(tmp_path / f"{name} {rank}.safetensors", model.state_dict())

    assert together(work) == [0, 0]
    for name, objective in OBJECTIVES.items():
        run(objective(), out=tmp_path / "one" / name)
        alone = weights(tmp_path / "one" / name)
        for rank in (0, 1):
            for key, value in read_tensors(tmp_path / f"{name} {rank}.safetensors").items():
                assert torch.equal(value, weights(tmp_path / name)[key]), (name, rank, key)
                assert torch.allclose(value, alone[key], rtol=0, atol=1e-6), (name, rank, key)
        curve, expected = read_history(tmp_path / name), read_history(tmp_path / "one" / name)
        assert len(curve) == STEPS
        for record, one in zip(curve, expected, strict=True):
            assert record == pytest.approx(one, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize("shape", [(6, 3, 5, 4), (7, 3)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_of_all_ranks_is_torch_s_where_there_is_one(shape: tuple[int, ...], affine: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    weights: list[Tensor | None] = [None, None]
    if affine:
        weights = list(torch.rand(2, 3, generator=generator, dtype=torch.float64).requires_grad_())
    inputs = [x, *weights] if affine else [x]
    to_out = torch.randn(shape, generator=generator, dtype=torch.float64)
    found = []
    for function in (torch.nn.functional.batch_norm, batch_norm):
        running = torch.zeros(2, 3, dtype=torch.float64)
        out = function(x, *running, *weights, training=True, momentum=0.1, eps=1e-5)
        found.append([out, running, *torch.autograd.grad(out, inputs, to_out)])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@dataclass(frozen=True)
class Interrupting(BetaTC):
    """β-TC, with a signal to rank 1 alone in the midst of a step; by its name it is β-TC."""

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == 2 and os.environ.get("RANK") == "1":
            os.kill(os.getpid(), signal.SIGTERM)
        return super().__call__(encoding, x, data_size)

    def __repr__(self) -> str:
        return repr(BetaTC(step=self.step))


def test_a_signal_to_one_stops_all_and_they_resume_to_the_bit(run: Callable[..., Any], tmp_path: Path) -> None:
    def work(rank: int) -> None:
        run(BetaTC(), out=tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt) as stopped:
            run(Interrupting(), out=tmp_path / "parts")
        assert stopped.value.number == signal.SIGTERM  # type: ignore[attr-defined]
        run(BetaTC(), out=tmp_path / "parts", resume=True)

    assert together(work) == [0, 0]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert read_history(tmp_path / "whole") == read_history(tmp_path / "parts")


def test_refusals_are_everybody_s(run: Callable[..., Any], tmp_path: Path) -> None:
    def work(rank: int) -> None:
        with pytest.raises(InputError, match="several processes train on cpu or cuda, not on mps"):
            join(torch.device("mps"))
        with pytest.raises(InputError, match="batch_size: 9 cannot be shared by 2 processes, use a multiple of 2"):
            run(ELBO(), batch_size=9)
        run(ELBO(), out=tmp_path)
        with pytest.raises(InputError, match="holds a checkpoint of step 4"):
            run(ELBO(), out=tmp_path)

    assert together(work) == [0, 0]
    with pytest.warns(UserWarning, match="was trained by 2 processes and goes on with 1"):
        run(ELBO(), out=tmp_path, resume=True)


@dataclass(frozen=True)
class Dying(ELBO):
    """The ELBO; rank 1 dies at once in the midst of a step."""

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == 2 and os.environ.get("RANK") == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(encoding, x, data_size)


def test_who_loses_the_others_says_so(run: Callable[..., Any], tmp_path: Path) -> None:
    def work(rank: int) -> None:
        with pytest.raises(RunError, match="rank 0: has lost the other processes"):
            run(Dying(), out=tmp_path, checkpoint_every=1)

    assert together(work) == [0, -signal.SIGKILL]
