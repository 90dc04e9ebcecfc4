"""One process at a time on a run: a lock of the operating system, gone with the process however that ends.

The lock (``flock`` on ``.lock`` in the folder) is the kernel's: a SIGKILL or a power cut releases it, so no file has to
be removed by hand. The file itself stays, and says who had it last. Between machines this needs a shared file system
that carries ``flock``: NFS from version 4, GPFS, CephFS, and Lustre mounted with ``-o flock``. NFS mounted with
``nolock`` or ``local_lock=flock``, and Lustre with ``-o localflock``, lock within a machine only: there, run one sweep
at a time on a store.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatbelt_vae.errors import RunError

LOCK = ".lock"
_HELD: set[Path] = set()  # by this process
_PATIENCE = 0.5  # seconds: whoever only looks (see `claimed`) holds the lock for an instant


@contextmanager
def claim(folder: Path) -> Iterator[bool]:
    """Hold a folder for the block.

    Args:
        folder: the folder, which must exist.

    Yields:
        Whether it is ours; False where another process has it.

    Raises:
        RunError: the file system has no such locks, or the folder cannot be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with claim(folder) as first, claim(folder) as second:
        ...     first, second
        (True, False)
    """
    import fcntl

    handle, ours = _open(folder, os.O_RDWR | os.O_CREAT), False
    try:
        ours = _lock(handle, fcntl.LOCK_EX, folder, time.monotonic() + _PATIENCE)
        if ours:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
            _HELD.add(folder.resolve())
        yield ours
    finally:
        if ours:
            _HELD.discard(folder.resolve())
        os.close(handle)


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder for the block, or refuse; nothing more to do where this process holds it already.

    Args:
        folder: the folder, which must exist.

    Raises:
        RunError: another process has it, or as `claim` says.
    """
    if folder.resolve() in _HELD:
        yield
        return
    with claim(folder) as ours:
        if not ours:
            host, process = claimant(folder) or ("another machine", 0)
            raise RunError(f"{folder}: process {process} on {host} is at work on it, wait for it or stop it")
        yield


def claimed(folder: Path) -> bool:
    """Say whether a process has a folder at this moment."""
    import fcntl

    if not (folder / LOCK).exists():
        return False
    handle = _open(folder, os.O_RDONLY)
    try:
        return not _lock(handle, fcntl.LOCK_SH, folder, time.monotonic())
    finally:
        os.close(handle)


def claimant(folder: Path) -> tuple[str, int] | None:
    """Give the machine and the process that last had a folder, None where there was none."""
    try:
        host, process = (folder / LOCK).read_text().split()
        return host, int(process)
    except (OSError, ValueError):
        return None


def _open(folder: Path, flags: int) -> int:
    try:
        return os.open(folder / LOCK, flags, 0o644)
    except OSError as error:
        raise RunError(f"{folder / LOCK}: cannot be opened ({error.strerror or error})") from error


def _lock(handle: int, kind: int, folder: Path, until: float) -> bool:
    import fcntl

    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        except OSError as error:
            reason = f"its file system has no locks (flock: {error.strerror or error}), choose another for the store"
            raise RunError(f"{folder}: {reason}") from error
        else:
            return True
