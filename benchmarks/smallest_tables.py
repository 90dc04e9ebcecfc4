"""Tables of what `smallest.py` measured: norms, and AttackBench's optimality."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seatbelt_vae.storage import read_json

TITLES = {
    "shrinking": "ours (`Shrinking`)", "ddn": "DDN", "fmn": "FMN", "pgd": "PGD, bisection of the radius",
    "adam": "Adam, bisection of the price", "scipy": "scipy L-BFGS-B, bisection of the price",
    "path": "best image of a path over 4 λ", "path-long": "best image of a path over 15 λ",
}  # fmt: skip
LONG = "path-long"
BESIDE = ("ddn", "fmn", "pgd", "adam", "scipy", "path", LONG)
AIMS = {"ddn": "95%", "fmn": "95%", LONG: "100%"}
SAME = 1.001

HEAD = """Printed by `python benchmarks/smallest.py`, whose first lines say what is compared.

‖d‖ is relative to ‖x − x_t‖. A is the area under the share of pairs that is still robust at ‖d‖, up to the norm at
which the best attacks have fooled every pair; *optimality* is 1 − (A − A_best)/(A_max − A_best), with A_best of the
smallest norm that any solver of 1000 evaluations found for each pair, and A_max of an attack that finds nothing
(Cinà et al. 2025, AttackBench). *Best* is the share of pairs on which a solver is within 0.1 % of that norm.
The path over 15 λ is the default attack with a penalty. It spends what it wants: it is no competitor, and has no
optimality. Its best image is the smallest of its λ that reaches the level; its f50 lies on the line between two
images, and no image attains it: success bends between them. Aims: optimality .98, and those of the first table.
"""


def norms_of(values: list[float | None]) -> np.ndarray:
    """Norms, infinite where a level was not reached."""
    return np.array([np.inf if value is None else value for value in values])


def optimality(norms: np.ndarray, best: np.ndarray) -> float:
    """AttackBench's optimality of norms (P,), infinite where nothing was found, beside the best ones.

    Example:
        >>> float(optimality(np.array([1.0, np.inf]), np.array([1.0, 2.0])))
        1.0
    """
    largest = best.max()
    area, least = np.minimum(norms, largest).mean(), best.mean()
    return 1 - (area - least) / (largest - least)


def table(name: str, found: dict[str, dict[str, Any]]) -> str:
    """The solvers on one model."""
    norms = {method: norms_of(result["relative"]) for method, result in found.items()}
    rivals = [values for method, values in norms.items() if method != LONG]
    best = np.min(rivals, axis=0)
    text = f"\n### {name}, {len(best)} pairs\n\n"
    text += "| solver | median ‖d‖ | mean ‖d‖ | optimality | best | not reached | evaluations a pair | CPU s |\n"
    text += "|---" * 8 + "|\n"
    for method, values in norms.items():
        share = f"{optimality(values, best):.3f}" if method != LONG else ""
        wins = f"{np.mean(values <= SAME * best):.0%}" if method != LONG else ""
        reached = values[np.isfinite(values)]
        spent = np.mean(found[method]["evaluations"])
        text += f"| {TITLES[method]} | {np.median(values):.4f} | {reached.mean():.4f} | {share} | {wins} | "
        text += f"{np.mean(~np.isfinite(values)):.0%} | {spent:.0f} | {found[method]['cpu_seconds']:.0f} |\n"
    return text


def duel(found: Sequence[dict[str, dict[str, Any]]]) -> str:
    """On how many pairs of all models ours is not above the others."""
    text = "\n### Ours beside the others, all pairs\n\n"
    text += "| beside | ours ≤ 1.001 × it | aim | geometric mean of ours ÷ it |\n"
    text += "|---" * 4 + "|\n"
    for method in BESIDE:
        both = [(f["shrinking"]["relative"], f[method]["relative"]) for f in found if method in f]
        text += _line(TITLES[method], both, AIMS.get(method, ""))
    both = [(f["shrinking"]["relative"], f[LONG]["f50"]) for f in found if LONG in f]
    return text + _line("f50 of a path over 15 λ, interpolated", both, AIMS[LONG])


def _line(title: str, both: Sequence[tuple[Any, Any]], aim: str) -> str:
    if not both:
        return ""
    ours = np.concatenate([norms_of(a) for a, _ in both])
    theirs = np.concatenate([norms_of(b) for _, b in both])
    reached = np.isfinite(ours) & np.isfinite(theirs)
    ratio = np.exp(np.mean(np.log(ours[reached] / theirs[reached])))
    return f"| {title} | {np.mean(ours <= SAME * theirs):.0%} of {len(ours)} | {aim} | {ratio:.4f} |\n"


def tables(names: Sequence[str], methods: Sequence[str], folder: Path) -> str:
    """Of every model that has results."""
    found = {}
    for name in names:
        files = {method: folder / f"{name}-{method}.json" for method in methods}
        found[name] = {method: read_json(file) for method, file in files.items() if file.exists()}
    have = {name: results for name, results in found.items() if "shrinking" in results}
    return HEAD + duel(list(have.values())) + "".join(table(name, results) for name, results in have.items())
