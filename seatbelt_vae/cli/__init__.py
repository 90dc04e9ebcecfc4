"""The command line: parses, calls, prints."""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from seatbelt_vae.errors import InputError, RunError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after ``seatbelt``; those of the process by default.

    Returns:
        0 done, 1 failed while running, 2 bad input, 130 interrupted. Of anything but 0, one line on stderr says why.

    Example:
        >>> main(["--version"])
        0.1.0
        0
    """
    from cyclopts import CycloptsError

    from seatbelt_vae.cli.app import app

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning  # type: ignore[assignment]
            command, bound, _ = app.parse_args(
                sys.argv[1:] if arguments is None else list(arguments), print_error=False, exit_on_error=False
            )
            command(*bound.args, **bound.kwargs)
            sys.stdout.flush()
    except (InputError, CycloptsError) as error:
        return _say(error, BAD_INPUT)
    except RunError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt as error:
        return _say(
            f"interrupted: {error}" if str(error) else "interrupted; the same command starts again", INTERRUPTED
        )
    except (MemoryError, RuntimeError) as error:
        known = "OutOfMemory" in type(error).__name__ or "can't allocate memory" in str(error)
        if not known and not isinstance(error, MemoryError):
            raise
        return _say("out of memory: use a smaller batch size, smaller images or fewer pairs", FAILED)
    except BrokenPipeError:
        # The reader has seen enough. Nothing more may be written, not even by Python's flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _say(message: object, code: int) -> int:
    print(f"seatbelt: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _show_warning(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """Show our own warnings in one line; those of other libraries are for developers."""
    if category.__module__.startswith("seatbelt_vae"):
        print(f"seatbelt: warning: {message}", file=sys.stderr)
