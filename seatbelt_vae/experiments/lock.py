"""One process at a time on a run: a lock of the operating system, gone with the process however that ends.

The lock is the kernel's: a SIGKILL or a power cut releases it, so no file has to be removed by hand. The file ``.lock``
itself stays, and ``.lock.owner`` says who had it last. Between machines this needs a shared file system that carries
``flock``: NFS from version 4, GPFS, CephFS, and Lustre mounted with ``-o flock``. NFS mounted with ``nolock`` or
``local_lock=flock``, and Lustre with ``-o localflock``, lock within a machine only: there, run one sweep at a time on a
store.
"""

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from seatbelt_vae.errors import RunError

LOCK = ".lock"
OWNER = ".lock.owner"
_HELD: set[Path] = set()  # by this process
_PATIENCE = 0.5  # seconds: whoever only looks (see `locked`) holds the lock for an instant


@contextmanager
def lock(folder: Path, patience: float = _PATIENCE) -> Iterator[bool]:
    """Hold a folder for the block.

    Args:
        folder: the folder, which must exist.
        patience: seconds to wait for it.

    Yields:
        Whether it is ours; False where another process has it.

    Raises:
        RunError: the file system has no such locks, or the folder cannot be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with lock(folder) as first, lock(folder) as second:
        ...     first, second
        (True, False)
    """
    taken = _take(folder, patience)
    if taken is None:
        yield False
        return
    try:
        with suppress(OSError):  # on a full disk the lock is as good without
            (folder / OWNER).write_text(f"{socket.gethostname()} {os.getpid()}\n", encoding="utf-8")
        _HELD.add(folder.resolve())
        yield True
    finally:
        _HELD.discard(folder.resolve())
        taken.release()


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder for the block, or refuse; nothing more to do where this process holds it already.

    Args:
        folder: the folder, which must exist.

    Raises:
        RunError: another process has it, or as `lock` says.
    """
    if folder.resolve() in _HELD:
        yield
        return
    with lock(folder) as ours:
        if not ours:
            host, process = owner(folder) or ("another machine", 0)
            raise RunError(f"{folder}: process {process} on {host} is at work on it, wait for it or stop it")
        yield


def locked(folder: Path) -> bool:
    """Say whether a process has a folder at this moment."""
    if folder.resolve() in _HELD:
        return True
    if not (folder / LOCK).exists():
        return False
    taken = _take(folder, 0.0)
    if taken is None:
        return True
    taken.release()
    return False


def owner(folder: Path) -> tuple[str, int] | None:
    """Give the machine and the process that last had a folder, None where there was none."""
    try:
        host, process = (folder / OWNER).read_text(encoding="utf-8").split()
        return host, int(process)
    except (OSError, ValueError):
        return None


def _take(folder: Path, patience: float) -> FileLock | None:
    path = folder / LOCK
    taken = FileLock(path, thread_local=False)
    try:
        path.touch()  # says what is wrong at once, where filelock would try again
        with warnings.catch_warnings(action="ignore"):
            taken.acquire(timeout=patience, poll_interval=0.02)
    except Timeout:
        pass
    except OSError as error:
        raise RunError(f"{path}: cannot be opened ({error.strerror or error})") from error
    if isinstance(taken, SoftFileLock):  # a file that stands for a lock, and outlives its process
        raise RunError(f"{folder}: its file system has no locks (flock), choose another for the store")
    if taken.is_locked:
        return taken
    return None
