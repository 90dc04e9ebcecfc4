"""Tables and figures of docs/robust.md.

    python benchmarks/robust_report.py RUNS --out docs/robust --data chairs_mesh64.npz

RUNS holds runs of `benchmarks/robust.py`, and in `strong` what `benchmarks/robust_strong.py` measured. OUT gets a
Markdown file for each table and an SVG for each figure; tables between marks in OUT.md are written anew. `--data` are
the chairs, for the panels of images.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from robust_figures import curve_figure, panels_figure, pareto_figure
from robust_runs import SHARES, Run, Runs, stacked, way
from torch import Tensor

from seatbelt_vae.metrics import Interval, compare, interval
from seatbelt_vae.storage import write_bytes

Cells = Sequence[str]
TARGETED = {
    "f50_latent_each": "f50, latent attack",
    "auddc_latent_each": "AUDDC, latent attack",
    "f50_output_each": "f50, output attack",
    "auddc_output_each": "AUDDC, output attack",
    "f50_blend_each": "f50, blend",
    "f50_pca_each": "f50, PCA with its MSE",
}
HIERARCHY = {"vae": "VAE", "btcvae4": "β-TCVAE, β = 4", "seatbelt4": "Seatbelt-VAE, L = 4, β = 4"}
HEADLINE = {"plain": "plain", "robust": "held.75s1k5"}
"""Ways of training, and what their runs are called."""
CURVES = {
    "f50": ("f50_latent_each", "f50, latent attack", None),
    "damage": ("damage_each", "damage within 2.5 % of the median distance", 0),
}
CHOSEN_ON = 20
"""Pairs, of seed 0, on which settings were chosen."""
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

    def row(name: str, key: str, digits: int, *, ratio: bool = False, column: int | None = None) -> Cells:
        before, after = (stacked(side, key, column) for side in having(plain, robust, key))
        difference = compare(before, after, ratio=ratio).difference
        change = shown(difference, digits)
        if ratio:
            change = f"× {shown(difference)}"
        return [name, shown(interval(before), digits), shown(interval(after), digits), change]

    rows = [row("MSE", "mse", 4, ratio=True), row("ELBO, nats", "elbo", 1)]
    for k, percent in enumerate(PERCENT):
        rows.append(row(f"damage at {percent}", "damage_all_each", 2, ratio=True, column=k))
    rows.append(row("damage by noise of 5 %", "noise_each", 3, ratio=True, column=1))
    for key, title in TARGETED.items():
        measured, _ = having(plain, robust, key)
        if measured:
            seeds, pairs = stacked(measured, key).shape
            rows.append(row(f"{title} ({seeds} × {pairs})", key, 3))
    text = markdown(["", "VAE", "robust VAE", "robust to VAE"], rows)
    return text + f"\n{len(plain)} seeds × {len(plain[0].damage('all'))} pairs where no other numbers are given.\n"


def having(plain: list[Run], robust: list[Run], key: str) -> tuple[list[Run], list[Run]]:
    """The plain and robust models of the seeds of which both have a measure."""
    seeds = [pair for pair in zip(plain, robust, strict=True) if all(run.has(key) for run in pair)]
    return [before for before, _ in seeds], [after for _, after in seeds]


def done(runs: Runs) -> str:
    """What issue and measurement say, line by line."""
    rows = []
    for data, plain, robust in runs.strong():
        errors = [stacked(side, "mse") for side in (plain, robust)]
        mse = compare(*errors, ratio=True).difference.value
        worst = float((errors[1] / errors[0]).max())
        rows.append([data, "MSE ≤ 1.05 ×", f"{mse:.2f} ×, worst seed {worst:.2f} ×", met(worst, 1.05)])
        for k in (0, 1):
            damages = [stacked(side, "damage_all_each", k) for side in (plain, robust)]
            ratio = compare(*damages, ratio=True).difference
            rows.append([data, f"damage at {PERCENT[k]} ≤ ½", f"{shown(ratio)} ×", met(ratio.value, 0.5)])
            rows.append(["", "… upper end ≤ .6", f"{ratio.high:.2f}", met(ratio.high, 0.6)])
            rows.append(["", "… stretch: ≤ ⅓", f"{ratio.value:.2f}", met(ratio.value, 1 / 3)])
        fresh = [stacked(side[1:], "damage_all_each", 1)[:, CHOSEN_ON:] for side in (plain, robust)]
        if all(side.numel() for side in fresh):
            ratio = compare(*fresh, ratio=True).difference
            rows.append(["", "… where the settings were not chosen", f"{shown(ratio)} ×", ""])
        for mode in ("latent", "output"):
            key = f"f50_{mode}_each"
            sides = having(plain, robust, key)
            if sides[0]:
                share = way(*sides, mode)
                seeds, pairs = stacked(sides[0], key).shape
                found = f"{shown(share)} ({seeds} × {pairs})"
                rows.append([data, f"{mode} f50: ½ of the way to the blend", found, met(-share.value, -0.5)])
        elbo = compare(*[stacked(side, "elbo") for side in (plain, robust)]).difference
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


def controls(runs: Runs) -> str:
    """f50 by the default attack and by scipy; what a search without gradients finds of the damage of restarts."""
    rows = []
    for run in runs:
        if not (run.has("f50_scipy_each") and run.has("damage_blind_each")):
            continue
        cold, blind = run.each("f50_scipy_each"), run.damage("blind")
        own = run.each("f50_latent_each")[: len(cold)]
        shares = blind.mean(0) / run.damage("restarts")[: len(blind)].mean(0)
        cells = [run.data, run.label, f"{float(own.mean()):.3f}", f"{float(cold.mean()):.3f}"]
        rows.append([*cells, *[f"{share:.2f}" for share in shares]])
    return markdown(["data", "training", "f50", "f50, scipy", *PERCENT], rows)


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


def hierarchy(runs: Runs) -> str:
    """What β, depth and robust training do together: every model beside the plain VAE of its data and seeds."""
    rows = []
    for model, title in HIERARCHY.items():
        for training, kind in HEADLINE.items():
            chosen = [run for run in runs if run.kind == f"chairs-{model}-{kind}"]
            if chosen:
                rows.append([title, training, *beside(runs, chosen)])
    return markdown(["model", "training", "seeds", "MSE, 10⁻³", "ELBO", *PERCENT, "f50"], rows)


def beside(runs: Runs, chosen: list[Run]) -> Cells:
    """Cells of the runs of a model: damage as a share of the plain VAE's, f50 less the plain VAE's."""
    plain = [runs.plain_of(run) for run in chosen]
    cells = [str(len(chosen)), f"{1000 * stacked(chosen, 'mse').mean():.2f}", f"{stacked(chosen, 'elbo').mean():.1f}"]
    for k in range(len(SHARES)):
        sides = [stacked(side, "damage_each", k) for side in (plain, chosen)]
        cells.append(f"× {shown(compare(*sides, ratio=True).difference)}")
    sides = [stacked(side, "f50_latent_each") for side in (plain, chosen)]
    return [*cells, shown(compare(*sides).difference, 3)]


def large(runs: Runs) -> str:
    """The network of Burgess et al. on images of 64×64: the robust model beside the plain one, at the same steps."""
    rows = []
    for data in sorted({run.data for run in runs.all}):
        plain = runs.points(f"{data}-burgess-plain")
        robust = runs.points(f"{data}-burgess-adversarial")
        for step in sorted(plain.keys() & robust.keys()):
            rows.append([data, str(step), *against(plain[step], robust[step])])
    return markdown(["data", "steps", "MSE", *PERCENT, "f50", "f50, robust", "ratio of f50"], rows)


def against(plain: Run, robust: Run) -> Cells:
    """Cells of one model beside another: shares of its error and damage, both f50 and their ratio."""

    def ratio(key: str, column: int | None = None) -> Interval:
        sides = [stacked([run], key, column) for run in (plain, robust)]
        return compare(*sides, ratio=True).difference

    cells = [f"× {ratio('mse').value:.2f}"]
    cells += [f"× {shown(ratio('damage_each', k))}" for k in range(len(SHARES))]
    cells += [f"{run.each('f50_latent_each').mean():.3f}" for run in (plain, robust)]
    return [*cells, shown(ratio("f50_latent_each"))]


def steps(runs: Runs) -> str:
    """Measures on the way of a long training."""
    rows = []
    for run in runs.all:
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
    yield "controls", controls(runs)
    yield "hierarchy", hierarchy(runs)
    yield "sweep", sweep(runs)
    yield "large", large(runs)
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
    for name, (key, title, column) in CURVES.items():
        if any(run.curve for run in runs.all):
            write_bytes(args.out / f"steps-{name}.svg", curve_figure(runs, "chairs64", key, title, column).encode())
    if args.data:
        write_bytes(args.out / "panels.svg", panels_figure(runs, args.runs, args.data).encode())


if __name__ == "__main__":
    main()
