import contextlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.objectives import ELBO, BetaTC, FactorVAE, Terms
from seatbelt_vae.training import CollapseWarning, TrainingResult, read_history, train
from seatbelt_vae.training.loop import SETTLED

SIDE = 28
OBJECTIVE = BetaTC(beta=3.0, tc_samples=16, warm_up=15, anneal=15)


@dataclass(frozen=True)
class Spy(ELBO):
    """The ELBO, with something done at one step."""

    act: Any = None
    when: int = 0

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        terms = super().__call__(encoding, x, data_size)
        return self.act(terms) if self.step == self.when else terms


Run = Callable[..., TrainingResult]
Make = Callable[..., HierarchicalVAE]


@pytest.fixture
def run(images: ImageDataset, make_model: Make) -> Run:
    def run(objective: Any = OBJECTIVE, model: HierarchicalVAE | None = None, **options: Any) -> TrainingResult:
        options = {"steps": 20, "batch_size": 8, "device": "cpu", "log_every": 4, **options}
        return train(model or make_model(), images, objective, **options)

    return run


def press_ctrl_c(terms: Terms) -> Terms:
    os.kill(os.getpid(), signal.SIGINT)
    return terms


def files(folder: Path) -> dict[str, Any]:
    """All that a run left, to the bit, but for the time it took."""
    from safetensors.torch import load_file

    state = load_file(folder / "training.safetensors")
    del state["seconds"]
    tensors = {**state, **{f"file/{k}": v for k, v in load_file(folder / "model.safetensors").items()}}
    return {
        "metrics": (folder / "metrics.jsonl").read_bytes(),
        "tensors": {k: v.numpy().tobytes() for k, v in tensors.items()},
    }


def interrupted_at(step: int, run: Run, objective: Any, folder: Path) -> None:
    """Train until Ctrl-C is pressed in the middle of a step: the checkpoint is of the end of that step."""
    kind = type(objective)

    @dataclass(frozen=True)
    class Interrupting(kind):  # type: ignore[misc, valid-type]
        def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
            if self.step == step - 1:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(encoding, x, data_size)  # type: ignore[no-any-return]

        def __repr__(self) -> str:
            return repr(objective)

    fields = {name: getattr(objective, name) for name in objective.__dataclass_fields__}
    with pytest.raises(KeyboardInterrupt):
        run(Interrupting(**fields), out=folder)


@pytest.mark.parametrize("step", [10, 13])
def test_interrupted_and_resumed_is_the_same_to_the_bit(run: Run, tmp_path: Path, step: int) -> None:
    whole = run(out=tmp_path / "whole")
    interrupted_at(step, run, OBJECTIVE, tmp_path / "parts")
    torch.manual_seed(99)  # no global generator may matter
    parts = run(out=tmp_path / "parts", resume=True)
    assert files(tmp_path / "whole") == files(tmp_path / "parts")
    assert whole.history == parts.history
    assert [record["step"] for record in parts.history] == [4, 8, 12, 16, 20]


def test_a_kill_after_the_checkpoint_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    """Records after the checkpoint, one of them torn, are dropped and written again."""
    run(out=tmp_path / "whole")
    interrupted_at(10, run, OBJECTIVE, tmp_path / "killed")
    with (tmp_path / "killed" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 12, "loss": 1.0}) + '\n{"step": 16, "lo')
    run(out=tmp_path / "killed", resume=True)
    assert files(tmp_path / "whole") == files(tmp_path / "killed")


@pytest.mark.parametrize("write", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_a_kill_between_any_two_writes_mixes_no_steps(
    run: Run, tmp_path: Path, write: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies just before its n-th file would take its place: the whole run makes ten files."""
    replace, count = os.replace, 0

    def dying(source: str, destination: Path) -> None:
        nonlocal count
        count += 1
        if count == write:
            raise SystemExit
        replace(source, destination)

    run(out=tmp_path / "whole", checkpoint_every=8)
    with monkeypatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setattr(os, "replace", dying)
        run(out=tmp_path / "killed", checkpoint_every=8)
    run(out=tmp_path / "killed", checkpoint_every=8, resume=True)
    assert files(tmp_path / "whole") == files(tmp_path / "killed")


def test_an_adversary_resumes_too(run: Run, tmp_path: Path) -> None:
    def objective() -> FactorVAE:
        torch.manual_seed(5)
        return FactorVAE.for_latent_size(2, width=4)

    run(objective(), out=tmp_path / "whole")
    interrupted_at(7, run, objective(), tmp_path / "parts")
    run(objective(), out=tmp_path / "parts", resume=True)
    assert files(tmp_path / "whole") == files(tmp_path / "parts")
    assert any(name.startswith("adversary.optimiser/") for name in files(tmp_path / "parts")["tensors"])


def test_same_seed_same_weights_other_seed_other_weights(run: Run) -> None:
    first, again, other = (run(seed=seed, steps=3).model.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_saved_model_gives_the_same_outputs(
    run: Run, images: ImageDataset, make_networks: Callable[[], Any], tmp_path: Path
) -> None:
    model = run(out=tmp_path).model
    loaded = HierarchicalVAE.from_pretrained(tmp_path, network=make_networks())
    assert torch.equal(model.reconstruct(images[:4]), loaded.reconstruct(images[:4]))
    assert not model.training


def test_it_learns(images: ImageDataset, make_model: Make) -> None:
    one = ImageDataset(images.images[:1].repeat(8, 1, 1, 1))
    history = train(make_model(), one, ELBO(), steps=60, batch_size=8, lr=1e-2, log_every=1, device="cpu").history
    assert history[-1]["elbo"] > history[0]["elbo"] + 50


def broken(**fields: Any) -> Any:
    return lambda terms: replace(terms, loss=terms.loss * float("nan"), **fields)


NAN = torch.full((8,), float("nan"))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (broken(log_likelihood=NAN), "step 6: log_likelihood is nan"),
        (lambda t: replace(t, kl=(t.kl[0], t.kl[1] / 0), loss=t.loss / 0), "step 6: kl of layer 2 is inf"),
        (broken(total_correlation=NAN), "step 6: total_correlation is nan"),
        (lambda t: replace(t, loss=t.loss * 1e38 * 10), "step 6: loss is inf"),
        (lambda t: replace(t, loss=t.loss + (t.loss - t.loss.detach()).sqrt()), "step 6: gradient norm is (inf|nan)"),
    ],
)
def test_what_is_not_finite_is_named(run: Run, tmp_path: Path, act: Any, message: str) -> None:
    with pytest.raises(RunError, match=message) as caught:
        run(Spy(act=act, when=5), out=tmp_path, checkpoint_every=4)
    assert "the checkpoint of step 4" in str(caught.value)
    assert "smaller lr (now 0.001)" in str(caught.value)
    assert "\n" not in str(caught.value)
    from seatbelt_vae.training import Checkpoint

    state = Checkpoint.load(tmp_path)
    assert state.step == 4
    assert all(bool(torch.isfinite(value.float()).all()) for value in state.state.values())


def test_a_learning_rate_that_explodes_is_a_run_error(run: Run) -> None:
    with pytest.raises(RunError, match=r"step \d+: .* is (nan|-?inf)"):
        run(ELBO(), lr=1e30, clip_norm=None)


def test_ctrl_c_twice_stops_at_once(run: Run, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)  # a shell starts background jobs with SIGINT ignored
    with pytest.raises(KeyboardInterrupt):
        run(Spy(act=lambda terms: press_ctrl_c(press_ctrl_c(terms)), when=3), out=tmp_path)
    assert not (tmp_path / "training.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_checkpoint_is_not_overwritten_by_mistake(run: Run, tmp_path: Path) -> None:
    run(out=tmp_path, steps=2)
    with pytest.raises(InputError, match="holds a checkpoint of step 2; resume"):
        run(out=tmp_path, steps=2)
    assert run(out=tmp_path, steps=2, resume=True).steps == 2


@pytest.mark.parametrize(("name", "value"), [("lr", 0.5), ("seed", 3), ("steps", 30), ("objective", ELBO())])
def test_resuming_something_else_is_refused(run: Run, tmp_path: Path, name: str, value: Any) -> None:
    run(out=tmp_path)
    with pytest.raises(InputError, match=f"was trained with {name} "):
        run(out=tmp_path, resume=True, **{name: value})


def test_resuming_with_other_weights_or_a_corrupt_file_is_refused(run: Run, make_model: Make, tmp_path: Path) -> None:
    run(out=tmp_path)
    with pytest.raises(InputError, match="weights of another model"):
        run(model=make_model(channels=4), out=tmp_path, resume=True)
    (tmp_path / "training.safetensors").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"training\.safetensors: is damaged or of another run"):
        run(out=tmp_path, resume=True)


def test_collapse_is_warned_about_once(run: Run) -> None:
    def collapse(terms: Terms) -> Terms:
        return replace(terms, kl=(terms.kl[0] * 0 + 1, terms.kl[1] * 0))

    spy = Spy(act=collapse, when=SETTLED - 1)
    with pytest.warns(CollapseWarning, match=rf"step {SETTLED}: .* layer 2 \(0\.000 nats\); .*free bits") as caught:
        run(spy, steps=SETTLED + 20)
    assert len(caught) == 1


def test_bfloat16_trains(run: Run) -> None:
    result = run(precision="bfloat16", steps=4, log_every=1)
    reference = run(steps=1, log_every=1).history[0]["loss"]
    assert result.history[0]["loss"] != reference
    assert result.history[0]["loss"] == pytest.approx(reference, rel=0.02)
    assert all(parameter.dtype == torch.float32 for parameter in result.model.parameters())


def test_float64_stays_float64(run: Run, make_model: Make) -> None:
    model = run(model=make_model().double(), steps=2).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: 0"),
        ({"lr": -1.0}, "lr: -1.0"),
        ({"lr": float("nan")}, "lr: nan"),
        ({"clip_norm": 0.0}, "clip_norm: 0.0"),
        ({"batch_size": 41}, "batch_size: 41 does not fit the 40 training images"),
        ({"log_every": 0}, "log_every: 0"),
        ({"precision": "float8"}, "precision: 'float8' is unknown"),
        ({"device": "tpu"}, "device: 'tpu' is unknown, use one of auto"),
        ({"device": "cuda:99"}, "device: this machine has no cuda:99"),
        ({"objective": BetaTC(tc_samples=12)}, "tc_samples: 12 is not a multiple of batch_size 8"),
        ({"objective": BetaTC(tc_samples=48)}, "tc_samples: 48 are more than the 40 training images"),
    ],
)
def test_bad_input_is_one_line(run: Run, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_of_another_shape_are_refused(make_model: Make) -> None:
    small = ImageDataset(torch.zeros(8, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(InputError, match=r"images: are \(3, 32, 32\) \(C, H, W\), the model takes \(1, 28, 28\)"):
        train(make_model(), small, ELBO(), steps=1, batch_size=8, device="cpu")


def test_history_holds_no_number_that_json_has_not(tmp_path: Path) -> None:
    from seatbelt_vae.training.history import History

    history = History(tmp_path, 0)
    history.append({"step": 1, "total_correlation": float("inf"), "loss": 0.1 + 0.2})
    assert read_history(tmp_path) == [{"step": 1, "total_correlation": None, "loss": 0.1 + 0.2}]


def test_a_batch_of_one_is_refused_where_there_is_batch_norm() -> None:
    data = ImageDataset(torch.zeros(8, 1, 32, 32, dtype=torch.uint8))
    with pytest.raises(InputError, match="batch_size: 1 is too small for a model with batch norm, use 2 or more"):
        train(vae((1, 32, 32), latent_sizes=(2,)), data, ELBO(), steps=1, batch_size=1, device="cpu")


def test_images_below_0_are_refused_where_the_likelihood_has_no_bound_there() -> None:
    signed = ImageDataset(torch.zeros(8, 1, SIDE, SIDE, dtype=torch.uint8), bounds=(-1.0, 1.0))
    settings = {"steps": 1, "batch_size": 4, "device": "cpu"}
    for likelihood in ("bernoulli", "continuous-bernoulli", "logistic-mixture"):
        model = vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny", likelihood=likelihood)
        with pytest.raises(InputError, match=r"images: have bounds \(-1.0, 1.0\), .* is for pixels in \[0, 1\]"):
            train(model, signed, ELBO(), **settings)
    train(vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny", likelihood="gaussian"), signed, ELBO(), **settings)


def test_resuming_with_another_likelihood_is_refused(images: ImageDataset, tmp_path: Path) -> None:
    settings = {"steps": 2, "batch_size": 4, "device": "cpu", "out": tmp_path}
    one, other = (vae((1, SIDE, SIDE), (2,), network="tiny", likelihood=name) for name in ("bernoulli", "laplace"))
    train(one, images, ELBO(), **settings)
    with pytest.raises(InputError, match=r"was trained with model .*bernoulli.*, not .*laplace"):
        train(other, images, ELBO(), resume=True, **settings)


def test_a_model_that_cannot_be_saved_is_refused_before_it_is_trained(images: ImageDataset, tmp_path: Path) -> None:
    made = vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny")
    own = HierarchicalVAE(made.posterior, made.generative, made.likelihood, image_shape=made.image_shape)
    with pytest.raises(InputError, match="out: this model has no recipe"):
        train(own, images, ELBO(), steps=1, batch_size=4, device="cpu", out=tmp_path / "run")
    assert train(own, images, ELBO(), steps=1, batch_size=4, device="cpu").steps == 1


def test_numbers_of_numpy_are_numbers(images: ImageDataset, tmp_path: Path) -> None:
    model = vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny")
    settings = {"steps": np.int64(2), "batch_size": np.int64(4), "lr": np.float32(1e-3), "seed": np.int64(1)}
    train(model, images, ELBO(), device=torch.device("cpu"), out=tmp_path, **settings)  # type: ignore[arg-type]
    train(model, images, ELBO(), steps=2, batch_size=4, lr=float(np.float32(1e-3)), seed=1, out=tmp_path, resume=True)


def test_images_that_are_no_data_set_are_refused(images: ImageDataset) -> None:
    model = vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny")
    with pytest.raises(InputError, match="images: is a int, must be an ImageDataset"):
        train(model, 3, ELBO(), steps=1)


def test_a_decoder_of_ones_own_needs_no_likelihood_by_name(images: ImageDataset) -> None:
    made = vae((1, SIDE, SIDE), latent_sizes=(2,), network="tiny")

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decoder = made.likelihood

        def forward(self, z: Any) -> Any:
            return self.decoder(z)

    own = HierarchicalVAE(made.posterior, made.generative, Own(), image_shape=made.image_shape)
    assert train(own, images, ELBO(), steps=1, batch_size=4, device="cpu").steps == 1


def test_a_hook_hears_every_record_once(run: Run, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    result = run(on_record=heard.append)
    assert heard == result.history
    assert [record["step"] for record in heard] == [4, 8, 12, 16, 20]
    heard.clear()
    interrupted_at(10, run, OBJECTIVE, tmp_path)
    whole = run(out=tmp_path, resume=True, on_record=heard.append)
    assert [record["step"] for record in heard] == [12, 16, 20]
    assert whole.history[2:] == heard


def test_a_hook_cannot_change_the_history(run: Run) -> None:
    assert "loss" in run(on_record=dict.clear).history[-1]
