"""Tables of what `attacks.py` measured: one a model and mode, and one of all together.

A problem's *best* is the least value that any solver found for it. Values below the rounding of r(0) in float32 are
all the same zero. Ours is called better or worse where values differ by more than 0.1 %, and lower where they differ
by more than rounding, over the problems that have something to gain: those whose best is below 0.999 of the value at
d = 0, where everyone starts. A value a is `over` another, b, by 1 + (a − b) ÷ |b|, which is a ÷ b where b > 0: with
densities of colours, output attacks have negative values.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seatbelt_vae.attacks import paper_lambdas
from seatbelt_vae.storage import read_json

METHODS = {
    "path": "ours",
    "thorough": "ours, three passes",
    "cold": "scipy L-BFGS-B, each λ by itself (a)",
    "continuation": "scipy L-BFGS-B, λ falling, warm starts (b)",
    "botorch": "BoTorch fmin_l_bfgs_b_batched (c)",
    "adam": "Adam, 3000 steps, batched (d)",
    "adam-equal": "Adam, as many evaluations as ours",
    "pgd": "projected gradient, 3000 steps, batched (e)",
    "pgd-equal": "projected gradient, as many evaluations as ours",
}
OURS = ("path", "thorough")
SAME, FLOAT32, ROUNDING = 1.001, 1.2e-7, 1e-6

HEAD = """Printed by `python benchmarks/attacks.py`, whose first lines say what is compared; the first lines of
`benchmarks/attack_tables.py` say what the columns mean, and `benchmarks/NOTES.md` what is found.
"""

Scores = dict[str, dict[str, Any]]
"""Of each method: its costs per attack, and arrays of ratios with an entry for each of its problems."""


def equal_evaluations(result: dict[str, Any], count: float) -> dict[str, Any]:
    """What a first-order method had found after `count` evaluations a problem."""
    trace = result["trace"]
    seen = trace["every"] * np.arange(1, len(trace["best"]) + 1)
    share = count / (result["evaluations"] / result["problems"])
    return {
        **result, "method": f"{result['method']}-equal", "evaluations": count * result["problems"],
        "value": [float(np.interp(count, seen, row)) for row in np.array(trace["best"]).T],
        "cpu_seconds": share * result["cpu_seconds"],
    }  # fmt: skip


def over(a: Any, b: Any) -> Any:
    """a ÷ b; where b < 0 by how many |b| a lies above it, from 1: log densities of colours make values negative.

    Example:
        >>> over(np.array([2.0, -2.0, -4.0]), np.array([1.0, -4.0, -2.0]))
        array([2. , 1.5, 0. ])
    """
    return 1 + (a - b) / np.abs(b)


def score(results: Sequence[dict[str, Any]]) -> Scores:
    """Every method on one model and mode, `path` among them."""
    ours = next(r for r in results if r["method"] == "path")
    spent = ours["evaluations"] / ours["problems"]
    results = [*results, *(equal_evaluations(r, spent) for r in results if r.get("trace"))]
    at_zero = np.repeat(ours["at_zero"], len(paper_lambdas()))
    floor = FLOAT32 * at_zero
    found = {r["method"]: dict(zip(r["index"], r["value"], strict=True)) for r in results}
    best = {i: min(f[i] for f in found.values() if i in f) for f in found.values() for i in f}
    others = {i for method, f in found.items() if method not in OURS for i in f}
    scores = {}
    for r in results:
        both = np.array([i for i in r["index"] if i in others])
        mine, its, least = (
            np.array([floor[i] if 0 <= f[i] < floor[i] else f[i] for i in both])
            for f in (found["path"], found[r["method"]], best)
        )
        scores[r["method"]] = {
            "over_best": over(its, least), "ours_over_it": over(mine, its),
            "to_gain": over(least, at_zero[both]) < 0.999,
            **{c: r[c] / r["problems"] for c in ("cpu_seconds", "evaluations")},
        }  # fmt: skip
    return scores


def table(title: str, scores: Sequence[Scores]) -> str:
    """The methods on one model and mode, or pooled over several."""
    text = (
        f"\n### {title}\n\n| solver | CPU s an attack | CPU ÷ ours | evaluations an attack | problems | "
        "≤ 1.001 × best | ≤ 1.01 × best | ours ÷ it, geometric mean | ours lower | ours better | ours worse |\n"
        + "|---" * 11 + "|\n"
    )  # fmt: skip
    for method, name in METHODS.items():
        shared = [s for s in scores if method in s]
        if not shared:
            continue
        over_best, ours, to_gain = (
            np.concatenate([s[method][key] for s in shared]) for key in ("over_best", "ours_over_it", "to_gain")
        )
        cost = {c: [s[method][c] for s in shared] for c in ("cpu_seconds", "evaluations")}
        slower = np.exp(np.mean([np.log(s[method]["cpu_seconds"] / s["path"]["cpu_seconds"]) for s in shared]))
        gain = ours[to_gain]
        shares = (over_best <= SAME, over_best <= 1.01, gain < 1 - ROUNDING, gain < 1 / SAME, gain > SAME)
        close, closer, lower, better, worse = (f"{np.mean(share):.0%}" for share in shares)
        text += (
            f"| {name} | {np.mean(cost['cpu_seconds']):.2f} | {slower:.1f} | "
            f"{np.mean(cost['evaluations']):.0f} | {len(ours)} | {close} | {closer} | "
            f"{np.exp(np.log(ours[ours > 0]).mean()):.4f} | {lower} | {better} | {worse} |\n"
        )
    return text


def tables(names: Sequence[Sequence[str]], folder: Path) -> str:
    """Of every model and mode, in groups of a mode, that has results of ours and of another; pooled first."""
    scores = {}
    for name in (name for group in names for name in group):
        files = [folder / f"{name}-{method}.json" for method in METHODS]
        results = [read_json(file) for file in files if file.exists()]
        methods = {r["method"] for r in results}
        if "path" in methods and not methods <= set(OURS):
            scores[name] = score(results)
    if not scores:
        return "\nNo model has results of ours and of another solver yet.\n"
    groups = [group for group in ([n for n in group if n in scores] for group in names) if group]
    text = HEAD + table("all of them", list(scores.values()))
    for group in groups if len(groups) > 1 else []:
        text += table(f"all models, {group[0].rsplit('-', 1)[1]}", [scores[name] for name in group])
    return text + "".join(
        table(name.rsplit("-", 1)[0] + ", " + name.rsplit("-", 1)[1], [s]) for name, s in scores.items()
    )
