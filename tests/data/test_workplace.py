"""A folder to work in: gone afterwards, whoever is killed in it, and safe while somebody is at work."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seatbelt_vae.data.workplace import working_folder
from seatbelt_vae.errors import RunError

WORKER = """
import sys, time
from pathlib import Path
from seatbelt_vae.data.workplace import working_folder
with working_folder(Path(sys.argv[1]), "celeba") as folder:
    (folder / "images.npy").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "prepared"


def halves(root: Path) -> list[Path]:
    return sorted(root.rglob("images.npy"))


def test_what_is_renamed_stays_and_the_rest_goes(root: Path) -> None:
    with working_folder(root, "chairs") as folder:
        (folder / "a").touch()
        folder.rename(root / "kept")
    with working_folder(root, "chairs") as folder:
        (folder / "b").touch()
    assert [path.name for path in root.rglob("*")] == ["kept", "a"]


def test_a_killed_one_is_taken_away_and_a_living_one_is_left_alone(root: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(root)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as dead,
        subprocess.Popen(command, stdout=subprocess.PIPE) as alive,
    ):
        for worker in (dead, alive):
            assert worker.stdout is not None
            worker.stdout.readline()
        with working_folder(root, "chairs"):
            assert len(halves(root)) == 2
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert len(halves(root)) == 2  # nobody could take it away
        (root / ".chairs.json.abc").touch()  # a note that was half written
        with working_folder(root, "chairs"):
            assert len(halves(root)) == 1
        alive.send_signal(signal.SIGTERM)
        alive.wait()
    with working_folder(root, "chairs"):
        assert halves(root) == []
    assert list(root.iterdir()) == []


def test_what_an_earlier_version_has_left_goes_too(root: Path) -> None:
    (root / ".celeba.k2x81").mkdir(parents=True)
    (root / ".celeba.k2x81" / "images.npy").touch()
    with working_folder(root, "celeba"):
        assert halves(root) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="could not be written"), working_folder(tmp_path / "file" / "prepared", "x"):
        pass
