"""Tables of docs/robust.md: the headline, what was asked for, and how strong the attacks are."""

import math
from collections.abc import Sequence

import torch
from robust_runs import SHARES, Run, Runs, sides, stacked, way
from torch import Tensor

from seatbelt_vae.metrics import Interval, compare, interval

Cells = Sequence[str]
TARGETED = {
    "f50_latent_each": "f50, latent attack",
    "auddc_latent_each": "AUDDC, latent attack",
    "f50_output_each": "f50, output attack",
    "auddc_output_each": "AUDDC, output attack",
    "f50_blend_each": "f50, blend",
    "f50_pca_each": "f50, PCA with its MSE",
}
LONG = ("f50_latent_each", "mse")
ATTACKS = {"begun": "begun at images of others", "transfer": "images of others", "all": "the worst of all"}
PERCENT = [f"{100 * share:g} %" for share in SHARES]


def shown(found: Interval, digits: int = 2) -> str:
    """A value with its interval, where it has one.

    Example:
        >>> shown(Interval(0.5, 0.25, 0.75))
        '0.50 [0.25, 0.75]'
    """
    if math.isnan(found.low):
        return f"{found.value:.{digits}f}".replace("-", "−")
    low, high = f"{found.low:.{digits}f}", f"{found.high:.{digits}f}"
    return f"{found.value:.{digits}f} [{low}, {high}]".replace("-", "−")


def markdown(head: Cells, rows: Sequence[Cells]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def headline(plain: list[Run], robust: list[Run]) -> str:
    """The plain and the robust models of one data set."""

    def row(
        name: str, key: str, digits: int, *, ratio: bool = False, column: int | None = None, unit: float = 1.0
    ) -> Cells:
        before, after = (side / unit for side in sides(*having(plain, robust, key), key, column))
        difference = compare(before, after, ratio=ratio).difference
        change = shown(difference, digits)
        if ratio:
            change = f"× {shown(difference)}"
        return [name, shown(interval(before), digits), shown(interval(after), digits), change]

    rows = [row("MSE", "mse", 4, ratio=True), row("ELBO, nats", "elbo", 1), row("KL, nats", "kl", 1)]
    if having(plain, robust, "mig")[0]:
        rows.append(row("MIG", "mig", 3))
    for k, percent in enumerate(PERCENT):
        rows.append(row(f"damage at {percent}", "damage_all_each", 2, ratio=True, column=k))
    if "apart" in plain[0].record:
        unit = SHARES[1] * plain[0].record["apart"]
        rows.append(row("amplification at 5 %", "damage_all_each", 2, ratio=True, column=1, unit=unit))
    rows.append(row("damage by noise of 5 %", "noise_each", 3, ratio=True, column=1))
    for key, title in TARGETED.items():
        measured, _ = having(plain, robust, key)
        if measured:
            seeds, pairs = stacked(measured, key).shape
            rows.append(row(f"{title} ({seeds} × {pairs})", key, 3))
    text = markdown(["", "VAE", "robust VAE", "robust to VAE"], rows)
    seeds = f"{len(plain)} seed{'s' * (len(plain) > 1)}"
    return text + f"\n{seeds} × {len(plain[0].damage('all'))} pairs where no other numbers are given.\n"


def having(plain: list[Run], robust: list[Run], key: str) -> tuple[list[Run], list[Run]]:
    """The plain and robust models of the seeds of which both have a measure."""
    seeds = [pair for pair in zip(plain, robust, strict=True) if all(run.has(key) for run in pair)]
    return [before for before, _ in seeds], [after for _, after in seeds]


def done(runs: Runs) -> str:
    """What issue and measurement say, line by line."""
    rows: list[Cells] = []
    strong = {data: (plain, robust) for data, plain, robust in runs.strong()}
    for data in runs.kinds:
        if data in strong:
            rows += aims(data, *strong[data])
    for data, steps in runs.long():
        rows += long_aims(data, *strong.get(data, steps))
    return markdown(["data", "aim", "found", ""], rows)


def aims(data: str, plain: list[Run], robust: list[Run]) -> list[Cells]:
    """Of the short trainings."""
    before, after = sides(plain, robust, "mse")
    worst = float((after / before).max())
    mse = change(plain, robust, "mse").value
    rows = [[data, "MSE ≤ 1.05 ×", f"{mse:.2f} ×, worst seed {worst:.2f} ×", met(worst, 1.05)]]
    for k in (0, 1):
        ratio = change(plain, robust, "damage_all_each", k)
        rows.append([data, f"damage at {PERCENT[k]} ≤ ½", f"{shown(ratio)} ×", met(ratio.value, 0.5)])
        rows.append(["", "… upper end ≤ .6", f"{ratio.high:.2f}", met(ratio.high, 0.6)])
        rows.append(["", "… stretch: ≤ ⅓", f"{ratio.value:.3f}", met(ratio.value, 1 / 3)])
    for mode in ("latent", "output"):
        measured = having(plain, robust, f"f50_{mode}_each")
        if measured[0]:
            share = way(*measured, mode)
            seeds, pairs = stacked(measured[0], f"f50_{mode}_each").shape
            found = f"{shown(share)} ({seeds} × {pairs})"
            rows.append([data, f"{mode} f50: ½ of the way to the blend", found, met(-share.value, -0.5)])
    elbo = compare(*sides(plain, robust, "elbo")).difference
    return [*rows, [data, "what it costs: ELBO", f"{shown(elbo, 1)} nats", ""]]


def long_aims(data: str, plain: list[Run], robust: list[Run]) -> list[Cells]:
    """Of the long trainings."""
    f50, mse = (change(plain, robust, key) for key in LONG)
    strongest = plain[0].has("damage_all_each")
    damage = change(plain, robust, "damage_all_each" if strongest else "damage_each", 0)
    return [
        [data, "f50 ≥ 1.5 ×", f"{shown(f50)} ×", met(-f50.value, -1.5)],
        ["", "… damage at 2.5 % ≤ ½", f"{shown(damage)} ×", met(damage.value, 0.5)],
        ["", "… MSE ≤ 1.05 ×", f"{mse.value:.2f} ×", met(mse.value, 1.05)],
    ]


def fresh(runs: Runs) -> str:
    """Pairs that entered no choice."""
    rows = []
    for data, plain, robust in runs.strong():
        seeds, pairs = stacked(plain, "f50_latent_each").shape
        cells = [data, f"{seeds} × {pairs}"]
        cells += [f"× {shown(change(plain, robust, 'damage_all_each', k))}" for k in (0, 1)]
        cells += [f"{stacked(side, 'f50_latent_each').mean():.3f}" for side in (plain, robust)]
        blend = stacked(plain, "f50_blend_each").mean()
        rows.append([*cells, f"{blend:.3f}", shown(way(plain, robust, "latent"))])
    head = ["data", "seeds × pairs", *[f"damage at {percent}" for percent in PERCENT[:2]]]
    return markdown([*head, "f50, VAE", "f50, robust", "blend", "share of the way"], rows)


def change(plain: list[Run], robust: list[Run], key: str, column: int | None = None) -> Interval:
    """A measure of robust models as a multiple of the plain ones', over the same seeds and pairs."""
    return compare(*sides(plain, robust, key, column), ratio=True).difference


def met(value: float, limit: float) -> str:
    """Whether a value keeps to a limit, or by how much it misses it.

    Example:
        >>> met(0.4, 0.5), met(0.52, 0.5)
        ('met', '**missed** by 0.02')
    """
    if value <= limit:
        return "met"
    by = f"{value - limit:.2f}"
    if by == "0.00":
        by = "less than 0.01"
    return f"**missed** by {by}"


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
