"""Tables and figures of docs/robust.md.

    python benchmarks/robust_report.py RUNS --out docs/robust --data chairs_mesh64.npz

RUNS holds runs of `benchmarks/robust.py`, and in `strong` what `benchmarks/robust_strong.py` measured. OUT gets a
Markdown file for each table and an SVG for each figure; tables between marks in OUT.md are written anew. `--data` are
the chairs, for the panels of images.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from robust_figures import curve_figure, panels_figure, pareto_figure
from robust_runs import SHARES, Run, Runs, way
from torch import Tensor

from seatbelt_vae.metrics import Interval, compare, interval
from seatbelt_vae.storage import write_bytes

Cells = Sequence[str]
ATTACKS = {"begun": "begun at images of others", "transfer": "images of others", "all": "the worst of all"}
PERCENT = [f"{100 * share:g} %" for share in SHARES]


def shown(found: Interval, digits: int = 2) -> str:
    """A value with its interval.

    Example:
        >>> shown(Interval(0.5, 0.25, 0.75))
        '0.50 [0.25, 0.75]'
    """
    low, high = f"{found.low:.{digits}f}", f"{found.high:.{digits}f}"
    return f"{found.value:.{digits}f} [{low}, {high}]".replace("-", "−")


def markdown(head: Cells, rows: Sequence[Cells]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def headline(plain: list[Run], robust: list[Run]) -> str:
    """The plain and the robust models of one data set."""

    def row(name: str, values: Callable[[Run], Tensor], digits: int, ratio: bool) -> Cells:
        before = torch.stack([values(run) for run in plain])
        after = torch.stack([values(run) for run in robust])
        difference = compare(before, after, ratio=ratio).difference
        sign = "× " if ratio else ""
        cells = [shown(interval(table), digits) for table in (before, after)]
        return [name, *cells, sign + shown(difference, 2 if ratio else digits)]

    rows = [
        row("MSE, 10⁻³", lambda run: 1000 * run.value("mse"), 2, True),
        row("ELBO, nats", lambda run: run.value("elbo"), 1, False),
    ]
    for k, percent in enumerate(PERCENT):
        rows.append(row(f"damage at {percent}", lambda run, k=k: run.damage("all")[:, k], 2, True))
    rows.append(row("damage by noise of 5 %", lambda run: run.each("noise_each")[:, 1], 3, True))
    for mode in ("latent", "output"):
        if all(run.has(f"f50_{mode}_each") for run in [*plain, *robust]):
            rows.append(row(f"f50, {mode}", lambda run, mode=mode: run.each(f"f50_{mode}_each"), 3, False))
            rows.append(row(f"AUDDC, {mode}", lambda run, mode=mode: run.each(f"auddc_{mode}_each"), 3, False))
    for line in ("blend", "pca"):
        title = {"blend": "blend", "pca": "PCA at its MSE"}[line]
        rows.append(row(f"f50, {title}", lambda run, line=line: run.each(f"f50_{line}_each"), 3, False))
    text = markdown(["", "VAE", "robust VAE", "robust to VAE"], rows)
    counts = {mode: len(plain[0].each(f"f50_{mode}_each")) for mode in ("latent", "output") if _both(plain, mode)}
    pairs = ", ".join(f"{count} in the {mode} attack" for mode, count in counts.items())
    return text + f"\n{len(plain)} seeds; {len(plain[0].damage('all'))} pairs for damage, {pairs}.\n"


def _both(runs: list[Run], mode: str) -> bool:
    return all(run.has(f"f50_{mode}_each") for run in runs)


def done(runs: Runs) -> str:
    """What issue and measurement say, line by line."""
    rows = []
    for data, plain, robust in runs.strong():
        mse = compare(*[[[float(run.value("mse"))] for run in side] for side in (plain, robust)], ratio=True)
        worst = max(float(b.value("mse") / a.value("mse")) for a, b in zip(plain, robust, strict=True))
        rows.append([data, "MSE ≤ 1.05 ×", f"{mse.difference.value:.2f} ×, worst seed {worst:.2f} ×", met(worst, 1.05)])
        for k in (0, 1):
            sides = [torch.stack([run.damage("all")[:, k] for run in side]) for side in (plain, robust)]
            ratio = compare(*sides, ratio=True).difference
            rows.append([data, f"damage at {PERCENT[k]} ≤ ½", f"{shown(ratio)} ×", met(ratio.value, 0.5)])
            rows.append(["", "… upper end ≤ .6", f"{ratio.high:.2f}", met(ratio.high, 0.6)])
            rows.append(["", "… stretch: ≤ ⅓", f"{ratio.value:.2f}", met(ratio.value, 1 / 3)])
        for mode in ("latent", "output"):
            seeds = [pair for pair in zip(plain, robust, strict=True) if _both(list(pair), mode)]
            if seeds:
                share = way([a for a, _ in seeds], [b for _, b in seeds], mode)
                found = f"{shown(share)} ({len(seeds)} seeds)"
                rows.append([data, f"{mode} f50: ½ of the way to the blend", found, met(-share.value, -0.5)])
        elbo = compare(*[[[float(run.value("elbo"))] for run in side] for side in (plain, robust)]).difference
        rows.append([data, "what it costs: ELBO", f"{shown(elbo, 1)} nats", ""])
    return markdown(["data", "aim", "found", ""], rows)


def met(value: float, limit: float) -> str:
    """Whether a value keeps to a limit, or by how much it misses it.

    Example:
        >>> met(0.4, 0.5), met(0.52, 0.5)
        ('met', '**missed** by 0.02')
    """
    if value <= limit:
        return "met"
    return f"**missed** by {value - limit:.2f}"


def attacks(runs: Runs) -> str:
    """How much more each stronger attack finds than restarts: on average, and for one image at most."""
    rows = []
    for data, plain, robust in runs.strong():
        for title, side in (("VAE", plain), ("robust VAE", robust)):
            for name, words in ATTACKS.items():
                if all(run.has(f"damage_{name}_each") for run in side):
                    found = torch.stack([run.damage(name) for run in side])
                    base = torch.stack([run.damage("restarts") for run in side])
                    rows.append([data, title, words, *_ratios(found, base)])
    return markdown(["data", "model", "attack", *PERCENT], rows)


def _ratios(found: Tensor, base: Tensor) -> list[str]:
    """Of the means over seeds and pairs (S, P, K), and the largest."""
    mean = found.mean((0, 1)) / base.mean((0, 1))
    most = (found / base).amax((0, 1))
    return [f"{middle:.3f} (≤ {largest:.2f})" for middle, largest in zip(mean, most, strict=True)]


def sweep(runs: Runs) -> str:
    """Every run beside the plain VAE of its data and seed."""
    rows = []
    for run in runs:
        plain = runs.plain_of(run)
        if plain is None:
            continue
        damage = run.each("damage_each").mean(0)
        cells = [run.data, run.label, str(run.seed), f"{1000 * run.record['mse']:.2f}"]
        cells.append(f"{run.record['elbo']:.1f}".replace("-", "−"))
        if run is plain:
            cells += [f"{value:.2f}" for value in damage]
        else:
            ratio = damage / plain.each("damage_each").mean(0)
            cells += [f"× {value:.2f}" for value in ratio]
        cells.append(f"{float(run.each('f50_latent_each').mean()):.3f}")
        cells.append(f"{run.record['cpu_seconds'] / plain.record['cpu_seconds']:.1f}")
        rows.append(cells)
    head = ["data", "training", "seed", "MSE, 10⁻³", "ELBO", *PERCENT, "f50", "time ×"]
    return markdown(head, rows)


def steps(runs: Runs) -> str:
    """Measures on the way of a long training."""
    rows = []
    for run in runs:
        for point in run.curve:
            damage = torch.tensor(point["damage_each"]).mean(0)
            f50 = torch.tensor(point["f50_latent_each"]).mean()
            cells = [run.data, run.label, str(point["step"]), f"{1000 * point['mse']:.2f}"]
            rows.append([*cells, *[f"{value:.2f}" for value in damage], f"{float(f50):.3f}"])
    return markdown(["data", "training", "step", "MSE, 10⁻³", *PERCENT, "f50"], rows)


def tables(runs: Runs) -> Iterator[tuple[str, str]]:
    """Every table by name."""
    for data, plain, robust in runs.strong():
        yield f"headline-{data}", headline(plain, robust)
    yield "done", done(runs)
    yield "attacks", attacks(runs)
    yield "sweep", sweep(runs)
    yield "steps", steps(runs)


def filled(text: str, name: str, table: str) -> str:
    """A document with the table between the marks of its name written anew.

    Example:
        >>> filled("<!-- a -->old<!-- end -->", "a", "new")
        '<!-- a -->new<!-- end -->'
    """
    marked = re.compile(rf"(<!-- {re.escape(name)} -->).*?(<!-- end -->)", re.DOTALL)
    return marked.sub(lambda found: found[1] + table + found[2], text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", help="the chairs, a name or a file; without it no panels are made")
    args = parser.parse_args()
    runs = Runs.read(args.runs)
    document = args.out.with_suffix(".md")
    text = ""
    if document.exists():
        text = document.read_text(encoding="utf-8")
    for name, table in tables(runs):
        write_bytes(args.out / f"{name}.md", table.encode())
        text = filled(text, name, f"\n\n{table}\n")
    if text:
        write_bytes(document, text.encode())
    for data in runs.kinds:
        write_bytes(args.out / f"pareto-{data}.svg", pareto_figure(runs, data).encode())
    if any(run.curve for run in runs):
        write_bytes(args.out / "steps.svg", curve_figure(runs).encode())
    if args.data:
        write_bytes(args.out / "panels.svg", panels_figure(runs, args.runs, args.data).encode())


if __name__ == "__main__":
    main()
