"""The command line: parses, calls, prints."""

import sys
from collections.abc import Callable, Sequence
from functools import partial

from seatbelt_vae.cli import signals
from seatbelt_vae.cli.processes import check_alone, first_alone_speaks
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.signals import handled

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after ``seatbelt``; those of the process by default.

    Returns:
        0 done, 1 failed while running, 2 bad input, 130 interrupted, 143 ended by SIGTERM or SIGUSR1. Of anything but
        0, one line on stderr says why.

    Example:
        >>> main(["attack"])
        2
    """
    if arguments is None:
        arguments = sys.argv[1:]
    with handled(signals.end), first_alone_speaks():
        return _main(arguments)


def _main(arguments: Sequence[str]) -> int:
    from cyclopts import CycloptsError

    from seatbelt_vae.cli.console import close_output, flush, say, warnings_in_a_line

    try:
        with warnings_in_a_line():
            work = _parsed(arguments)
            with handled(signals.interrupt):
                work()
                flush()
    except (InputError, CycloptsError) as error:
        return say(error, BAD_INPUT)
    except RunError as error:
        return say(error, FAILED)
    except KeyboardInterrupt as error:
        words = f"interrupted: {error}"
        if not str(error):
            words = "interrupted; the same command starts again"
        return say(words, signals.exit_code(error))
    except (MemoryError, RuntimeError) as error:
        from seatbelt_vae.memory import out_of_memory

        if not out_of_memory(error):
            raise
        return say("out of memory: use a smaller batch size, smaller images or fewer pairs", FAILED)
    except BrokenPipeError:
        close_output()  # the reader has seen enough
    except OSError as error:
        close_output()
        return say(error, FAILED)
    return DONE


def _parsed(arguments: Sequence[str]) -> Callable[[], None]:
    """The command that arguments ask for, its libraries imported."""
    from seatbelt_vae.cli.app import COMMANDS, app
    from seatbelt_vae.progress import Terminal
    from seatbelt_vae.settings import near, shown

    name = next(iter(arguments), "--help")
    if name not in COMMANDS and not name.startswith("-"):
        raise InputError(f"{shown(name)}: no such command{near(name, COMMANDS)}, use one of {', '.join(COMMANDS)}")
    check_alone(name)
    command, bound, _ = app.parse_args(arguments, print_error=False, exit_on_error=False, console=Terminal())
    return partial(command, *bound.args, **bound.kwargs)
