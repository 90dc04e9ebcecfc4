"""When memory runs out in a chunk: half of the chunk, and on."""

import warnings
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class MemoryWarning(UserWarning):
    """Work goes on in smaller chunks. Another chunk rounds otherwise, in the last digits."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the CPU or on a GPU.

    Example:
        >>> out_of_memory(MemoryError()), out_of_memory(RuntimeError("shapes differ"))
        (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    return "OutOfMemory" in type(error).__name__ or "can't allocate memory" in str(error)


def halved(work: Callable[[int], T], size: int) -> T:
    """Do some work in chunks of a size, or of half of it for as long as memory runs out.

    Args:
        work: given the size of a chunk, does all of it.
        size: of the first try.

    Raises:
        RuntimeError: memory runs out with chunks of one, too; likewise MemoryError.

    Example:
        >>> def work(size):
        ...     if size > 3:
        ...         raise MemoryError
        ...     return size
        >>> with warnings.catch_warnings(action="ignore"):
        ...     halved(work, 8)
        2
    """
    while True:
        try:
            return work(size)
        except (MemoryError, RuntimeError) as error:
            if size < 2 or not out_of_memory(error):
                raise
        size //= 2  # here the failed try's tensors are free
        warnings.warn(f"out of memory: goes on with chunks of {size}", MemoryWarning, stacklevel=2)
