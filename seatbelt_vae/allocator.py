"""Memory that the next step takes over from the last."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MMAP_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -4, -3, -1
"""glibc's numbers of its settings, see ``man mallopt``."""
NEVER = -1
USUAL = {MMAP_MAX: 65536, MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20}
"""Where glibc's own settings end up in a process that uses large blocks."""


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep what is freed for what comes next, while the block runs.

    glibc gives large blocks back to the system when they are freed, and every new one is first filled with zeros, page
    by page. For the activations of a convolutional network that takes as long as the network itself. No number changes.
    Nothing happens where there is no glibc.

    Example:
        >>> with kept_memory():
        ...     sum(range(4))
        6
    """
    library = None
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        yield
        return
    library.mallopt(MMAP_MAX, 0)
    library.mallopt(TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        for setting, value in USUAL.items():
            library.mallopt(setting, value)
        library.malloc_trim(0)
