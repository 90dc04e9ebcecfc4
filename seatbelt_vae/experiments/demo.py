"""The demonstration: four models on sprites, each attacked in three ways, in minutes on two cores."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.attacking import run_attack
from seatbelt_vae.experiments.evaluation import EvaluationSettings, run_evaluation
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.training_run import run_training

Tables = Mapping[str, Mapping[str, Any]]

DATA = {"name": "sprites", "size": 32, "count": 20000}
TRAINING = {"steps": 1000, "batch_size": 64}
NETWORK = {"hidden_sizes": (64,)}

MODELS: dict[str, Tables] = {
    "vae": {"model": {"name": "vae", "latent_sizes": (16,)}},
    "beta-tcvae": {"model": {"name": "beta-tcvae", "latent_sizes": (16,)}, "objective": {"beta": 4.0}},
    # Without free bits (0.125 nats a dimension, the authors' value) the upper layers of sprites collapse.
    "seatbelt-vae": {
        "model": {"name": "seatbelt", "latent_sizes": (16, 8, 4)},
        "objective": {"beta": 4.0, "free_bits": 0.125},
    },
    # The error of the plain VAE above is 0.0040: as good a picture, and the rest for robustness.
    "robust-vae": {
        "model": {"name": "vae", "latent_sizes": (16,)},
        "robust": {
            "method": ("adversarial", "hold-mse"),
            "radius": 0.4,
            "spread": 1.0,
            "inner_steps": 5,
            "target": "untargeted-latent",
            "mse": 0.004,
        },
    },
}
"""The models by the names of their folders; a further one is a line here."""

ATTACKS: dict[str, dict[str, Any]] = {
    "latent": {"objective": "latent", "max_iterations": 20},
    "output": {"objective": "output", "max_iterations": 20, "samples": 1},
    "damage": {"objective": "damage", "max_iterations": 20, "radii": (0.2, 0.4, 0.8, 1.6)},
}
"""The attacks: 10 pairs on the paper's grid, with few iterations for each weight.

Every weight starts from what its neighbours found, so 20 iterations go far; still, it is a quick look and not the
strongest attack that the solver has.
"""

QUICK_DATA = {**DATA, "count": 300}
QUICK_TRAINING = {"steps": 20, "batch_size": 32}
QUICK_NETWORK = {**NETWORK, "network": "tiny"}


def demo_specs(quick: bool = False, seed: int = 0) -> dict[str, ExperimentSpec]:
    """Give the demonstration's runs by the names of their folders.

    Args:
        quick: a few steps of small networks, to see that everything works.
        seed: of the training.
    """
    data: Mapping[str, Any] = DATA
    training: Mapping[str, Any] = TRAINING
    network: Mapping[str, Any] = NETWORK
    if quick:
        data = QUICK_DATA
        training = QUICK_TRAINING
        network = QUICK_NETWORK
    specs = {}
    for name, tables in MODELS.items():
        model = {**tables["model"], **network}
        common = {"model": model, "data": data, "training": {**training, "seed": seed}}
        specs[name] = ExperimentSpec.of({**tables, **common})
    return specs


def demo_attack(objective: str, quick: bool = False, seed: int = 0) -> AttackSpec:
    """Give one of the demonstration's attacks.

    Args:
        objective: a key of `ATTACKS`.
        quick: two pairs at two values of the budget.
        seed: of the attack.
    """
    settings = {**ATTACKS[objective], "seed": seed}
    if quick:
        settings["pairs"] = 2
        if "radii" in settings:
            settings["radii"] = (1.0, 4.0)
        else:
            settings["lambdas"] = (0.1, 10.0)
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
        run_evaluation(folder, EvaluationSettings(seed=seed), device=device, progress=progress)
        for objective in ATTACKS:
            run_attack(folder, demo_attack(objective, quick, seed), device=device, progress=progress)
        folders.append(folder)
    return folders
