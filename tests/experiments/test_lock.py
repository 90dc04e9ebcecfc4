import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatbelt_vae.errors import RunError
from seatbelt_vae.experiments import EvaluationSettings, RunFolder, run_evaluation, run_training
from seatbelt_vae.experiments.lock import hold, lock, locked, owner


def test_one_at_a_time(tmp_path: Path) -> None:
    assert not locked(tmp_path)
    assert owner(tmp_path) is None
    with lock(tmp_path) as first:
        assert first
        assert locked(tmp_path)
        assert owner(tmp_path) is not None
        with lock(tmp_path) as second:
            assert not second
        assert locked(tmp_path)
    assert not locked(tmp_path)
    with lock(tmp_path) as again:
        assert again


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        raise ZeroDivisionError
    assert not locked(tmp_path)


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with lock(tmp_path):
            time.sleep(60)
        os._exit(0)
    try:
        while owner(tmp_path) is None:
            time.sleep(0.01)
        assert owner(tmp_path) == (os.uname().nodename, child)
        assert locked(tmp_path)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with lock(tmp_path) as ours:
        assert ours


@contextmanager
def _another_process_at(folder: Path) -> Iterator[int]:
    """Hold a folder in a child."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with lock(folder):
            os.write(tell, b"!")
            time.sleep(60)
        os._exit(0)
    try:
        os.read(ready, 1)
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)


def test_training_and_measuring_wait_for_nobody(trained: RunFolder, tmp_path: Path) -> None:
    with _another_process_at(trained.path) as child:
        with pytest.raises(RunError, match=f"process {child} on .* is at work on it"):
            run_evaluation(trained, EvaluationSettings("elbo", seed=12), device="cpu")
        assert run_training(trained.spec, trained.path).finished  # nothing to be done
        unfinished = RunFolder.create(tmp_path / "run", trained.spec)
        with _another_process_at(unfinished.path), pytest.raises(RunError, match="is at work on it"):
            run_training(trained.spec, unfinished.path, device="cpu")
    assert "elbo" in run_evaluation(trained, EvaluationSettings("elbo", seed=12), device="cpu")


def test_what_is_ours_is_held_once(tmp_path: Path) -> None:
    with lock(tmp_path), hold(tmp_path), hold(tmp_path):
        assert locked(tmp_path)
    with hold(tmp_path):
        assert locked(tmp_path)
    assert not locked(tmp_path)


def test_a_look_does_not_keep_a_lock_out(tmp_path: Path) -> None:
    """Whoever looks holds the lock for an instant: who wants it waits for that."""
    import fcntl
    import threading

    with lock(tmp_path):
        pass
    handle = os.open(tmp_path / ".lock", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [handle]).start()
    with lock(tmp_path) as ours:
        assert ours


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(handle: int, kind: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunError, match=r"no locks \(flock\), choose another for the store"):
        lock(tmp_path).__enter__()


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none/\.lock: cannot be opened \(No such file"):
        lock(tmp_path / "none").__enter__()


def test_it_is_imported_where_there_is_no_fcntl() -> None:
    """As on Windows, where filelock has locks of another kind."""
    words = "import sys; sys.modules['fcntl'] = None; import seatbelt_vae.experiments.lock"
    assert subprocess.run([sys.executable, "-c", words], capture_output=True).returncode == 0
