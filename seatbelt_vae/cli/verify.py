"""``seatbelt verify``: whether runs are what they were."""

from pathlib import Path

from seatbelt_vae.cli.console import columns, note, show
from seatbelt_vae.cli.options import Device, Json, Moved
from seatbelt_vae.errors import RunError
from seatbelt_vae.experiments import Check
from seatbelt_vae.experiments import verify as check

STATES = ("ok", "changed", "missing", "unnamed")


def command(path: Path, /, *, rows: int = 2, data: Moved = None, device: Device = "auto", json: Json = False) -> None:
    """Check every file of runs, and compute a sample of their results again; 1 where something is wrong.

    Args:
        path: A run folder, or a store of them.
        rows: Pairs of each attack that are computed again; 0 checks the files alone.
    """
    checks = check(path, rows=rows, data=data, device=device, say=note)
    wrong: list[str] = []
    runs = []
    table = [["run", *STATES, "same", "differs", "not computed"]]
    notes: list[str] = []
    for each in checks:
        wrong += each.wrong
        runs.append({"run": str(each.run), "files": each.files, "results": each.results, "wrong": each.wrong})
        table.append([each.run.name, *map(str, _counts(each))])
        notes += [f"{each.run}: {name} {words}" for name, words in each.results.items() if words.startswith("not")]
        if each.count("unnamed"):
            notes.append(f"{each.run}: {each.count('unnamed')} files in no manifest; seatbelt upgrade notes them")
    show({"path": str(path), "runs": runs, "wrong": wrong}, json, [*columns(table), *notes, *wrong])
    if wrong:
        raise RunError(f"{len(wrong)} things are wrong, the first is {wrong[0]}")


def _counts(check: Check) -> list[int]:
    """How many files are in each state, and how many results came out how."""
    results = list(check.results.values())
    outcomes = [sum(words.startswith(outcome) for words in results) for outcome in ("same", "differs", "not")]
    return [*map(check.count, STATES), *outcomes]
