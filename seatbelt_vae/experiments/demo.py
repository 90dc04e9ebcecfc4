"""The demonstration: three models on sprites, each attacked in both modes, in minutes on two cores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments.attacking import AttackSpec, run_attack
from seatbelt_vae.experiments.evaluation import run_evaluation
from seatbelt_vae.experiments.run import run_training
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.store import RunFolder

MODES = ("latent", "output")


def demo_specs(quick: bool = False, seed: int = 0) -> dict[str, ExperimentSpec]:
    """Give the demonstration's runs by the names of their folders.

    Args:
        quick: a few steps of small networks, to see that everything works.
        seed: of the training.
    """
    data = {"name": "sprites", "size": 32, "count": 300 if quick else 20000}
    training = {"steps": 20 if quick else 1000, "batch_size": 32 if quick else 64, "seed": seed}
    models: dict[str, dict[str, Any]] = {
        "vae": {"model": {"name": "vae", "latent_sizes": (16,)}},
        "beta-tcvae": {"model": {"name": "beta-tcvae", "latent_sizes": (16,)}, "objective": {"beta": 4.0}},
        # Without free bits (0.125 nats a dimension, the authors' value) the upper layers of sprites collapse.
        "seatbelt-vae": {
            "model": {"name": "seatbelt", "latent_sizes": (16, 8, 4)},
            "objective": {"beta": 4.0, "free_bits": 0.125},
        },
    }
    network = {"network": "tiny" if quick else "conv", "hidden_sizes": (64,)}
    return {
        name: ExperimentSpec.of({**tables, "model": {**tables["model"], **network}, "data": data, "training": training})
        for name, tables in models.items()
    }


def demo_attack(mode: str, quick: bool = False, seed: int = 0) -> AttackSpec:
    """Give the demonstration's attack of a mode: 10 pairs on the paper's grid, with few iterations for each weight.

    Every weight starts from what its neighbours found, so 20 iterations go far; still, it is a quick look and not the
    strongest attack that the solver has.
    """
    settings: dict[str, Any] = {"mode": mode, "seed": seed, "max_iterations": 20}
    if mode == "output":
        settings["samples"] = 1
    if quick:
        settings |= {"pairs": 2, "lambdas": (0.1, 10.0)}
    return AttackSpec.of(**settings)


def run_demo(
    out: str | Path,
    *,
    quick: bool = False,
    seed: int = 0,
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> list[RunFolder]:
    """Train, measure and attack the demonstration's models. What is finished is passed over.

    Args:
        out: folder of the runs.
        quick: see `demo_specs`.
        seed: of the training and the attacks.
        device: where to compute.
        say: called with a line before each part.
        progress: show bars on stderr.

    Returns:
        The folders of the runs.

    Raises:
        InputError: the folder holds other runs.
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    folders = []
    specs = demo_specs(quick, seed)
    for place, (name, spec) in enumerate(specs.items(), start=1):
        say(f"[{place}/{len(specs)}] {name}: train for {spec.training.steps} steps, measure, attack")
        folder = run_training(spec, Path(out) / name, device=device, progress=progress)
        run_evaluation(folder, seed=seed, device=device, progress=progress)
        for mode in MODES:
            run_attack(folder, demo_attack(mode, quick, seed), device=device, progress=progress)
        folders.append(folder)
    return folders
