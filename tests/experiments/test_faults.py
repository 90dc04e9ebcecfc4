"""What goes wrong outside: a full disk, folders that cannot be written or are gone, clocks, memory, two commands."""

import contextlib
import os
import pkgutil
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.errors import RunError
from seatbelt_vae.experiments import (
    AttackSpec,
    EvaluationSettings,
    ExperimentSpec,
    RunFolder,
    Table,
    run_attack,
    run_evaluation,
    run_training,
    verify,
)
from seatbelt_vae.experiments.table import LeftOut
from seatbelt_vae.memory import MemoryWarning
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.training.update import Update

resource = pytest.importorskip("resource", reason="Windows has no such limits")

STATM = Path("/proc/self/statm")
LATENT = AttackSpec.of(pairs=2, lambdas=(1.0,), max_iterations=2)
OUTPUT = AttackSpec.of(objective="output", pairs=2, lambdas=(1.0,), samples=1, max_iterations=2)
ELBO = EvaluationSettings(("elbo", "noise"), scales=(0.1,))


def do_all(spec: ExperimentSpec, path: Path) -> RunFolder:
    folder = run_training(spec, path, device="cpu", checkpoint_every=2, log_every=1)
    run_evaluation(folder, ELBO, device="cpu")
    run_attack(folder, LATENT, device="cpu")
    return folder


def contents(folder: RunFolder) -> dict[str, bytes]:
    names = ("model.safetensors", "metrics.jsonl", "evaluation/noise.safetensors", f"attacks/{LATENT.name}.safetensors")
    return {name: (folder.path / name).read_bytes() for name in names}


def assert_whole(path: Path) -> None:
    assert [line for check in verify(path, rows=0) for line in check.wrong] == []
    assert not list(path.rglob(".*.*.*"))


@pytest.fixture(scope="module")
def undisturbed(tiny: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return do_all(tiny, tmp_path_factory.mktemp("undisturbed") / "run")


@contextlib.contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    """A limit of this process while the block runs."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where this process may not mount one."""
    path.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this process may not mount a file system")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize("most", [10, 700, 3000, 300_000, 1_000_000])
def test_files_that_may_not_be_so_large(
    tiny: ExperimentSpec, tmp_path: Path, undisturbed: RunFolder, most: int
) -> None:
    """As on a full disk, each size in another file: one line; then the same call goes on, to the bit."""
    with limited(resource.RLIMIT_FSIZE, most), pytest.raises(RunError, match=r"\(File too large\)$") as caught:
        do_all(tiny, tmp_path / "run")
    assert "\n" not in str(caught.value)
    if (tmp_path / "run" / "spec.json").exists():
        assert_whole(tmp_path)
    assert contents(do_all(tiny, tmp_path / "run")) == contents(undisturbed)
    assert_whole(tmp_path)


def test_a_full_disk(tiny: ExperimentSpec, tmp_path: Path, undisturbed: RunFolder) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        filler = disk / "filler"
        for room in (0, 8192, 600_000, 2_000_000):
            filler.write_bytes(b"")
            free = shutil.disk_usage(disk).free
            filler.write_bytes(b"x" * (free - room))
            with pytest.raises(RunError, match="No space left on device"):
                do_all(tiny, disk / "run")
            if (disk / "run" / "spec.json").exists():
                assert_whole(disk)
        filler.unlink()
        assert contents(do_all(tiny, disk / "run")) == contents(undisturbed)
        assert_whole(disk)


def test_a_folder_that_cannot_be_written(tiny: ExperimentSpec, tmp_path: Path, undisturbed: RunFolder) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(undisturbed.path, disk / "run")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        folder = RunFolder.open(disk / "run")
        assert folder.attack(LATENT.name).result.distortion.shape == (2, 1)  # reading goes on
        assert_whole(disk)
        for work in (
            lambda: run_training(tiny, disk / "other", device="cpu"),
            lambda: run_evaluation(folder, EvaluationSettings(("weights",)), device="cpu"),
            lambda: run_attack(folder, OUTPUT, device="cpu"),
        ):
            with pytest.raises(RunError, match="Read-only file system"):
                work()


@pytest.fixture
def vanishing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """Take a folder away when a function is entered."""

    def vanish(name: str, path: Path) -> None:
        holder, _, last = name.rpartition(".")
        owner: Any = pkgutil.resolve_name(holder)
        real = getattr(owner, last)

        def taken_away(*words: Any, **more: Any) -> Any:
            shutil.rmtree(path, ignore_errors=True)
            return real(*words, **more)

        monkeypatch.setattr(owner, last, taken_away)

    return vanish


@pytest.mark.parametrize(
    "name",
    [
        "seatbelt_vae.training.update.Update.__call__",
        "seatbelt_vae.metrics.elbo",
        "seatbelt_vae.experiments.attacking.assess",
    ],
)
def test_a_folder_that_is_gone(tiny: ExperimentSpec, tmp_path: Path, vanishing: Any, name: str) -> None:
    path = tmp_path / "run"
    vanishing(name, path)
    with pytest.raises(RunError, match=r"run.*(is gone|No such file or directory)") as caught:
        do_all(tiny, path)
    assert "\n" not in str(caught.value)
    assert not (path / "spec.json").exists()


def test_clocks_that_jump(
    tiny: ExperimentSpec, tmp_path: Path, undisturbed: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back by ten years before every step: the same bits, and no time below 0."""
    jumped = []
    update, perf_counter, now = Update.__call__, time.perf_counter, time.time

    def step(*words: Any) -> Any:
        jumped.append(words)
        return update(*words)

    monkeypatch.setattr(Update, "__call__", step)
    monkeypatch.setattr(time, "perf_counter", lambda: perf_counter() - 3e8 * len(jumped))
    monkeypatch.setattr(time, "time", lambda: now() - 3e8 * len(jumped))
    folder = do_all(tiny, tmp_path / "run")
    assert len(jumped) == tiny.training.steps
    monkeypatch.undo()
    assert contents(folder) == contents(undisturbed)
    assert_whole(tmp_path)


@pytest.mark.skipif(not STATM.exists(), reason="how much memory this process has is told by /proc alone")
def test_memory_that_runs_out_in_a_chunk() -> None:
    """Really: this process may take no more than so much. Each row's values and gradients are those of it alone."""
    pages = int(STATM.read_text().split()[0])
    room = pages * os.sysconf("SC_PAGE_SIZE") + 100 * 2**20
    weight = torch.full((2**18,), 0.5)

    def heavy(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        wide = x[:, :1] * weight  # 1 MiB a row, and several of them for the gradient
        return (wide.sin() + wide.exp() + rows[:, None]).mean(1)

    x = torch.linspace(-1, 1, 64)[:, None].repeat(1, 2)
    rows = torch.arange(64)
    expected = [value_and_gradient(heavy, x[i : i + 1], rows[i : i + 1]) for i in (0, 31, 63)]
    with limited(resource.RLIMIT_AS, room), pytest.warns(MemoryWarning, match="goes on with chunks of 32"):
        values, gradients = value_and_gradient(heavy, x, rows, chunk=64)
    for place, (value, gradient) in zip((0, 31, 63), expected, strict=True):
        assert torch.allclose(values[place], value)
        assert torch.allclose(gradients[place], gradient)


def test_a_measurement_goes_on_with_less_memory(undisturbed: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from seatbelt_vae.metrics import elbo

    model, images = undisturbed.model(), undisturbed.split.test
    expected = elbo(model, images, samples=3)
    forward = type(model).forward

    def greedy(self: Any, x: torch.Tensor, *more: Any) -> Any:
        if len(x) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x, *more)

    monkeypatch.setattr(type(model), "forward", greedy)
    with pytest.warns(MemoryWarning, match="goes on with chunks of 32"):
        assert torch.allclose(elbo(model, images, samples=3).elbo, expected.elbo)


def test_two_attacks_at_once_on_one_run(undisturbed: RunFolder, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed.path, tmp_path / "run")
    words = [sys.executable, "-m", "seatbelt_vae.cli", "attack", str(run), "--pairs", "1", "--max-iterations", "2"]
    both = [subprocess.Popen([*words, "--lambdas", grid], stdout=subprocess.DEVNULL) for grid in ("1", "2,3")]
    assert [each.wait() for each in both] == [0, 0]
    assert len(RunFolder.open(run).attacks) == 3
    assert_whole(run)


def test_a_damaged_attack_is_left_out_of_the_table(undisturbed: RunFolder, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed.path, tmp_path / "run")
    folder = RunFolder.open(run)
    run_attack(folder, OUTPUT, device="cpu")
    before = {row["attack"] for row in Table([folder.record()]).rows()}
    path = run / "attacks" / f"{OUTPUT.name}.assessment.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.warns(LeftOut, match=rf"^left out of the table: {path}: is damaged"):
        after = {row["attack"] for row in Table([folder.record()]).rows()}
    assert before - after == {OUTPUT.name}
    assert {"", LATENT.name} == after
