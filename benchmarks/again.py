"""Attacks that run folders hold, made again by the solver of today: how much of a result is the solver's.

    OMP_NUM_THREADS=1 python benchmarks/again.py RUN [RUN ...] --out FOLDER [--pairs 40] [--markdown FILE]

For each run the continuation over λ in its latents, with the settings and the first PAIRS pairs of images of then:
by how much Δ moves, on average and at most, and success within 0.5 and AUDDC then and now. Then how any two models
differ in these, over seeds and pairs: runs of a model (names alike but for the hash) are given in the order of their
seeds, and all of one call have the same images. What was done is kept in FOLDER.
"""

import argparse
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seatbelt_vae import metrics
from seatbelt_vae.attacks import Continuation, Latent, Penalty, assess, attack
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.measures import Attacked
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import read_json, write_bytes, write_json


def continuation_of(run: RunFolder) -> Attacked | None:
    """The run's attack by a continuation over λ in the latents that the decoder sees, along their means."""
    usual = Latent(samples=0).settings()
    for name in run.attacks:
        found = run.attack(name)
        settings = found.result.settings
        latent = {**settings["objective"], "layers": None} == usual
        if latent and settings["solver"]["name"] == "continuation" and not settings["budget"]["squared"]:
            return found
    return None


def measure(run: RunFolder, pairs: int) -> dict[str, Any]:
    """One attack made again, and what it moved."""
    then = continuation_of(run)
    if then is None:
        raise SystemExit(f"{run.path}: holds no continuation over λ in its latents")
    old = then.result
    settings = old.settings
    now = attack(
        run.model(),
        old.source[:pairs],
        old.target[:pairs],
        Latent(layers=settings["objective"]["layers"]),
        Penalty(old.budget.values),
        Continuation(settings["solver"]["max_iterations"]),
        seed=settings["seed"],
        bounds=tuple(settings["bounds"]),
    )
    again = Attacked(now, assess(run.model(), now))
    ratio = now.objective / old.objective[:pairs]
    return {
        "run": run.name,
        "ratio": ratio.mean(0).tolist(),
        "success": [success(then, pairs), success(again, pairs)],
        "auddc": [auddc(then, pairs), auddc(again, pairs)],
    }


def success(attacked: Attacked, pairs: int) -> list[float]:
    """Success within 0.5 of the first pairs."""
    return metrics.success_at(attacked.relative_distortion[:pairs], attacked.success[:pairs], 0.5).tolist()


def auddc(attacked: Attacked, pairs: int) -> list[float]:
    """AUDDC of the first pairs."""
    return metrics.auddc(attacked.relative_distortion[:pairs], attacked.success[:pairs]).tolist()


def line(found: dict[str, Any]) -> str:
    """A line of the table."""
    shift = 100 * (np.array(found["ratio"]) - 1)
    cells = [found["run"], f"{shift.mean():+.2f} %", f"{shift.min():+.1f} to {shift.max():+.1f} %"]
    for key in ("success", "auddc"):
        then, now = np.mean(found[key], axis=1)
        cells += [f"{then:.4f}", f"{now:.4f}", f"{now - then:+.4f}"]
    return f"| {' | '.join(cells)} |\n"


def compared(found: list[dict[str, Any]]) -> str:
    """How models differ, then and now: a line for any two and each measure, intervals over seeds and pairs."""
    models: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        models.setdefault(each["run"].rpartition("-")[0], []).append(each)
    text = "| model | less | measure | then | now |\n|---|---|---|---|---|\n"
    for (reference, theirs), (name, mine) in combinations(models.items(), 2):
        for key in ("success", "auddc"):
            cells = []
            for time in (0, 1):
                apart = torch.tensor([[m[key][time], t[key][time]] for m, t in zip(mine, theirs, strict=True)])
                interval = metrics.interval(apart[:, 0] - apart[:, 1])
                cells.append(f"{interval.value:+.4f} [{interval.low:.4f}, {interval.high:.4f}]")
            text += f"| {name} | {reference} | {key} | {' | '.join(cells)} |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    text = (
        "| run | Δ moved | at any λ | success within 0.5, then | now | moved | AUDDC, then | now | moved |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    done = []
    with progress_bar("Attacking again", total=len(options.runs)) as advance:
        for path in options.runs:
            kept = options.out / f"{path.name}.json"
            if not kept.exists():
                write_json(kept, measure(RunFolder.open(path), options.pairs))
            done.append(read_json(kept))
            text += line(done[-1])
            advance(1)
    text += "\n" + compared(done)
    print(text)
    if options.markdown:
        write_bytes(options.markdown, text.encode())


if __name__ == "__main__":
    main()
