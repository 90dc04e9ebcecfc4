"""The two ways in which this library refuses: the input is wrong, or the run failed."""


class InputError(ValueError):
    """Something the caller gave is wrong: the message is one line that names it and says what would be right.

    The command line prints it and exits with 2.
    """


class RunError(RuntimeError):
    """Correct input, but the work failed while running (a NaN, a full disk): one line that says what and where.

    The command line prints it and exits with 1.
    """


def missing(thing: str, library: str, extra: str) -> InputError:
    """The error of an optional library that is not installed, which says how to install it.

    Example:
        >>> print(missing("report", "vl-convert", "report"))
        report: needs vl-convert; pip install 'seatbelt-vae[report]'
    """
    return InputError(f"{thing}: needs {library}; pip install 'seatbelt-vae[{extra}]'")
