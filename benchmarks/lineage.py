"""Train all ten models of the lineage alike and write one table for each data set.

    python benchmarks/lineage.py --out runs/lineage --docs docs/lineage.md --data sprites PATH/chairs.npz

3000 steps a model, 32×32, `mlp` networks: 5 to 18 minutes a model on one busy core. It goes on where it was stopped, so
several processes may be pointed at the same folder with other --models. Results: docs/lineage.md and lineage.json.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from seatbelt_vae.experiments.family import FAMILY

from seatbelt_vae.experiments import ExperimentSpec, RunFolder, run_evaluation, run_training
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import read_json, write_bytes, write_json
from seatbelt_vae.training.checkpoint import Checkpoint

STEPS, BATCH, WARM_UP, SAMPLES = 3000, 64, 1000, 1000
WARMED = ("ladder-vae", "biva")  # as their papers train them
IMAGES = 50_000


def spec_of(model: str, data: str, seed: int, steps: int) -> ExperimentSpec:
    tables: dict[str, Any] = {
        "data": {"name": data, "size": 32},
        "model": {"name": model, "network": "mlp"},
        "objective": {"warm_up": min(WARM_UP, steps // 3)} if model in WARMED else {},
        "training": {"steps": steps, "batch_size": BATCH, "seed": seed},
    }
    if data == "sprites":
        tables["data"]["count"] = IMAGES
    if FAMILY[model].objective in ("beta-vae", "beta-tc", "hfvae"):
        tables["objective"]["beta"] = 4.0
    return ExperimentSpec.of(tables)


def measure(folder: RunFolder) -> dict[str, Any]:
    """ELBO and KL on the test images; total correlation and MIG of the top layer over the training images."""
    evaluation = run_evaluation(folder, aggregate_samples=SAMPLES, device="cpu")
    columns = ("elbo", "elbo_error", "layer_kl", "total_correlation", "total_correlation_error", "mig")
    return {**{name: evaluation.get(name) for name in columns}, "images": len(folder.split.train)}


def run(model: str, data: str, out: Path, seed: int, steps: int) -> dict[str, Any]:
    path = out / f"{Path(data).stem}-{model}-{seed}"
    if (path / "lineage.json").exists():
        return dict(read_json(path / "lineage.json"))
    folder = run_training(spec_of(model, data, seed, steps), path, device="cpu")
    row = {"model": FAMILY[model].label, "seconds": Checkpoint.load(path).seconds, **measure(folder)}
    write_json(path / "lineage.json", row)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    head = "| model | ELBO, nats | KL per layer, bottom first | TC of z_L, nats | MIG of z_L | seconds |\n"
    head += "|---" * 6 + "|\n"
    lines = []
    for row in rows:
        kl = ", ".join(f"{value:.1f}" for value in row["layer_kl"])
        gap = "–" if row["mig"] is None else f"{row['mig']:.3f}"
        tc = f"{row['total_correlation']:.2f} ± {row['total_correlation_error']:.2f}"
        elbo = f"{row['elbo']:.1f} ± {row['elbo_error']:.1f}"
        lines.append(f"| {row['model']} | {elbo} | {kl} | {tc} | {gap} | {row['seconds']:.0f} |")
    return head + "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["sprites"], help="data sets, by name or path")
    parser.add_argument("--models", nargs="+", default=list(FAMILY), choices=list(FAMILY))
    parser.add_argument("--out", type=Path, default=Path("runs/lineage"))
    parser.add_argument("--docs", type=Path, default=None, help="Markdown file to write (with a .json beside it)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results: dict[str, list[dict[str, Any]]] = {}
    with progress_bar("Models", len(options.data) * len(options.models)) as advance:
        for data in options.data:
            for model in options.models:
                started = time.perf_counter()
                row = run(model, data, options.out, options.seed, options.steps)
                results.setdefault(Path(data).stem, []).append(row)
                advance(1, f"{Path(data).stem} {model}: {time.perf_counter() - started:.0f} s")
    text = "\n".join(
        f"## {name}, {rows[0]['images']} training images\n\n{table(rows)}" for name, rows in results.items()
    )
    print(text)
    if options.docs:
        head = HEAD.format(steps=options.steps, batch=BATCH, seed=options.seed, warm_up=WARM_UP, samples=SAMPLES)
        write_bytes(options.docs, (head + text).encode())
        write_bytes(options.docs.with_suffix(".json"), (json.dumps(results, indent=1) + "\n").encode())


HEAD = """# The lineage: ten models, trained alike

Written by `python benchmarks/lineage.py --docs docs/lineage.md --data sprites PATH/chairs_mesh64.npz`.

{steps} steps of batch {batch} at 32×32, `mlp` networks of Chen et al., one thread, seed {seed}. One layer has 32
latents; three have 96, 48 and 24. β = 4 (β-VAE, HFVAE between groups, the β-TC models with MWS over the batch), γ = 6.4
(FactorVAE); KL warm-up over {warm_up} steps for the Ladder VAE and BIVA. ELBO and KL are means over the held-out
images, without β, ± a standard error. TC and MIG are those of the top latent over *all* training images (exact
mixtures, {samples} samples, ± a Monte-Carlo standard error), never a minibatch estimate. Bernoulli likelihood.
One seed: read differences of a few nats as none. A KL of 0.0 in every layer is posterior collapse: the model draws the
same mean image for all. Nothing is done against it here but the warm-up named; `--free-bits 0.125`, more steps or the
`conv` network with batch norm are what to change. Seconds are those of one thread beside whatever else ran: no ranking.

"""

if __name__ == "__main__":
    main()
