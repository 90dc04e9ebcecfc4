"""Folders in which something large is made: of one process, and gone after it, even if it is killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from seatbelt_vae.errors import RunError

_LOCK = ".lock"


@contextmanager
def working_folder(root: Path, name: str) -> Iterator[Path]:
    """Give a folder that is gone after the block, unless it was renamed.

    What killed processes have left behind is taken away first. The operating system gives up the lock of a process
    that ends in any way, so a folder whose lock is free is nobody's.

    Args:
        root: where to make it.
        name: of what is made.

    Raises:
        RunError: the disk is full or cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with settling(root):  # nobody looks on between making a folder and locking it
            _sweep(root)
            around = Path(tempfile.mkdtemp(dir=root, prefix=f".{name}."))
            lock = FileLock(around / _LOCK)
            lock.acquire()
        try:
            folder = around / "made"
            folder.mkdir()
            yield folder
        finally:
            lock.release()
            shutil.rmtree(around, ignore_errors=True)
    except OSError as error:
        raise RunError(f"{root}: could not be written ({error.strerror or error})") from error


def settling(root: Path) -> AbstractContextManager[object]:
    """Keep others from changing what lies in a folder, for a moment."""
    return FileLock(root.with_name(f".{root.name}{_LOCK}"))


def _sweep(root: Path) -> None:
    """Take away what killed processes have left."""
    for left in root.glob(".*.*"):
        if not left.is_dir():
            left.unlink(missing_ok=True)
            continue
        try:
            with FileLock(left / _LOCK, timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        except Timeout:  # somebody is at work on it
            continue
