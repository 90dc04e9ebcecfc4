"""Tables of docs/robust.md: every run, and models beside one another."""

from robust_runs import SHARES, Run, Runs, sides, stacked
from robust_tables import PERCENT, Cells, change, markdown, shown

from seatbelt_vae.metrics import compare

HIERARCHY = {"vae": "VAE", "btcvae4": "β-TCVAE, β = 4", "seatbelt4": "Seatbelt-VAE, L = 4, β = 4"}
HEADLINE = {"plain": "plain", "robust": "held.5rec", "robust, worst posterior": "held.75s1k5"}
"""Ways of training, and what their runs are called."""


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
        cells.append(f"{float(run.by_the_sweep.each('f50_latent_each').mean()):.3f}")
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
    return markdown(["model", "training", "seeds", "MSE, 10⁻³", "ELBO", *PERCENT, "f50", "MIG"], rows)


def beside(runs: Runs, chosen: list[Run]) -> Cells:
    """Cells of the runs of a model: damage as a share of the plain VAE's, f50 less the plain VAE's."""
    plain = [each.by_the_sweep for each in map(runs.plain_of, chosen) if each]
    swept = [run.by_the_sweep for run in chosen]
    cells = [
        str(len(chosen)),
        f"{1000 * stacked(chosen, 'mse').mean():.2f}",
        f"{stacked(chosen, 'elbo').mean():.1f}".replace("-", "−"),
    ]
    for k in range(len(SHARES)):
        cells.append(f"× {shown(change(plain, swept, 'damage_each', k))}")
    cells.append(shown(compare(*sides(plain, swept, "f50_latent_each")).difference, 3))
    if all(run.has("mig") for run in chosen):
        return [*cells, f"{stacked(chosen, 'mig').mean():.3f}"]
    return [*cells, ""]


def large(runs: Runs) -> str:
    """The network of Burgess et al. on images of 64×64: the robust model beside the plain one, at the same steps."""
    rows = []
    for data in sorted({run.data for run in runs.all}):
        plain = runs.points(f"{data}-burgess-plain")
        robust = runs.points(f"{data}-burgess-adversarial")
        for step in sorted(plain.keys() & robust.keys()):
            rows.append([data, str(step), *against(plain[step], robust[step])])
    return markdown(["data", "steps", "MSE", "ELBO, nats", *PERCENT, "f50", "f50, robust", "ratio of f50"], rows)


def against(plain: Run, robust: Run) -> Cells:
    """Cells of one model beside another: shares of its error and damage, both f50 and their ratio."""
    gain = float(robust.each("elbo") - plain.each("elbo"))
    cells = [f"× {change([plain], [robust], 'mse').value:.2f}", f"{gain:+.1f}".replace("-", "−")]
    for k in range(len(SHARES)):
        cells.append(f"× {shown(change([plain], [robust], 'damage_each', k))}")
    cells += [f"{run.each('f50_latent_each').mean():.3f}" for run in (plain, robust)]
    return [*cells, shown(change([plain], [robust], "f50_latent_each"))]
