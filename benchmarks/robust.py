"""Train one model in one robust way, and measure what an attack can do to it.

    python benchmarks/robust.py FOLDER DATA MODEL METHOD --seed 0 --set radius=0.4 inner_steps=5

FOLDER gets one run: the model, its training state and `robust.json` with the measures. What is there is not done
again, and an interrupted training goes on. DATA is a name that `seatbelt data` knows, or a file. METHOD is one of
`METHODS`; radii are shares of the median distance between two training images.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from robust_measures import (
    RADII,
    Measures,
    damage,
    median_distance,
    moved,
    quality,
    references,
    targeted,
)
from torch import nn

from seatbelt_vae.data import Split, load_dataset, pairs
from seatbelt_vae.models import HierarchicalVAE, build
from seatbelt_vae.models.modes import evaluating
from seatbelt_vae.objectives import AVAE, ELBO, Adversarial, BetaTC, Denoising, HoldMSE, Objective, SmoothEncoder
from seatbelt_vae.storage import read_json, read_tensors, write_json
from seatbelt_vae.training import Settings, Update
from seatbelt_vae.training.sitting import Sitting

MODELS: dict[str, tuple[str, dict[str, Any], Callable[[], Objective]]] = {
    "vae": ("vae", {"latent_sizes": (32,)}, ELBO),
    "lipschitz": ("lipschitz-vae", {"latent_sizes": (32,), "network": "mlp"}, ELBO),
    "btcvae4": ("vae", {"latent_sizes": (32,)}, lambda: BetaTC(beta=4.0)),
    "seatbelt4": (
        "seatbelt",
        {"latent_sizes": (96, 48, 24, 12)},
        lambda: BetaTC(beta=4.0, free_bits=0.125),
    ),
}
RESTARTS = 3


def adversarial(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    return Adversarial(base, radius=radius * apart, **settings)


def denoising(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    return Denoising(base, radius=radius * apart, **settings)


def smooth(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    return SmoothEncoder(base, radius=radius * apart, **settings)


def avae(base: Objective, apart: float, **settings: Any) -> Objective:
    return AVAE(base, **settings)


def both(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    return smooth(adversarial(base, apart, radius), apart, radius, **settings)


def held(
    base: Objective, apart: float, mse: float, rate: float = 0.1, inner: str = "adversarial", **settings: Any
) -> Objective:
    if settings:
        base = METHODS[inner](base, apart, **settings)
    return HoldMSE(base, mse=mse, rate=rate)


METHODS: dict[str, Callable[..., Objective]] = {
    "plain": lambda base, apart: base,
    "adversarial": adversarial,
    "denoising": denoising,
    "smooth": smooth,
    "avae": avae,
    "both": both,
    "held": held,
}


def burgess(channels: int, latent_size: int) -> tuple[nn.Module, nn.Module]:
    """The network of Burgess et al. 2018 for 64×64 images: four convolutions of 32, two linear layers of 256."""
    down = [nn.Conv2d(channels if i == 0 else 32, 32, 4, stride=2, padding=1) for i in range(4)]
    up = [nn.ConvTranspose2d(32, channels if i == 3 else 32, 4, stride=2, padding=1) for i in range(4)]
    encoder = nn.Sequential(
        *(layer for conv in down for layer in (conv, nn.ReLU())),
        nn.Flatten(),
        *(nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()),
    )
    decoder = nn.Sequential(
        *(nn.Linear(latent_size, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU()),
        nn.Unflatten(1, (32, 4, 4)),
        *(layer for conv in up for layer in (conv, nn.ReLU())),
    )
    return encoder, decoder[:-1]


def make(args: argparse.Namespace, shape: tuple[int, int, int]) -> tuple[HierarchicalVAE, Objective]:
    """The model, its weights drawn from the seed, and the objective before it is made robust."""
    factory, arguments, objective = MODELS[args.model]
    torch.manual_seed(args.seed)
    if args.network == "burgess":
        arguments = {**arguments, "latent_sizes": (10,), "network": burgess(shape[0], 10)}
    return build(factory, shape, **arguments), objective()


def load(folder: Path, shape: tuple[int, int, int]) -> HierarchicalVAE:
    """The model of a run, in evaluation mode; shape is that of its images."""
    if "burgess" not in folder.name:
        return HierarchicalVAE.from_pretrained(folder).eval()
    model, _ = make(argparse.Namespace(model="vae", seed=0, network="burgess"), shape)
    model.load_state_dict(read_tensors(folder / "model.safetensors"))
    return model.eval()


def robustness(model: HierarchicalVAE, split: Split, apart: float, args: argparse.Namespace) -> Measures:
    """Quality, damage in balls, f50 and AUDDC of targeted attacks, in evaluation mode; ``_each`` is of each pair."""
    with evaluating(model):
        found = quality(model, split.test)
        drawn = pairs(split.test, args.pairs, 0)
        radii = [share * apart for share in RADII]
        worst = damage(model, drawn.source, radii, RESTARTS)
        found["damage_each"] = moved(model, drawn.source, worst).tolist()
        found |= references(model, split.train, drawn.source, drawn.target, radii, found["mse"])
        for mode in args.modes:
            found |= targeted(model, drawn.source, drawn.target, mode)
    return found


def fit(update: Update, sitting: Sitting, args: argparse.Namespace, measure: Callable[[], Measures]) -> None:
    """Train to the end, measuring at the marks on the way."""
    curve = args.folder / "curve.json"
    while sitting.step < args.steps:
        update(sitting.step, sitting.advice)
        sitting.step += 1
        if sitting.step in args.marks or sitting.step % 500 == 0:
            sitting.save()
        if sitting.step in args.marks:
            points = []
            if curve.exists():
                points = read_json(curve)
            write_json(curve, [*points, {"step": sitting.step, **measure()}])
    sitting.save()


def parsed(settings: list[str]) -> dict[str, Any]:
    """Settings such as radius=0.1; what is no JSON is text."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, value = setting.split("=")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="of the method")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--modes", nargs="*", default=["latent"], help="of targeted attacks: latent, output")
    parser.add_argument("--marks", nargs="*", type=int, default=[], help="steps at which to measure on the way")
    parser.add_argument("--network", default="conv", choices=["conv", "burgess"])
    args = parser.parse_args()
    report = args.folder / "robust.json"
    if report.exists():
        print(report, "is there")
        return
    data = load_dataset(args.data, size=args.size)
    split = data.split(0.1, 0)
    apart = median_distance(split.train)
    model, base = make(args, data.image_shape)
    objective = METHODS[args.method](base, apart, **parsed(args.set))
    settings = Settings(args.steps, args.batch_size, seed=args.seed, precision="bfloat16")
    update = Update(model.train(), split.train, objective, settings)
    sitting = Sitting(update, args.folder, resume=True, extend=False)
    started = time.process_time()
    fit(update, sitting, args, lambda: robustness(model, split, apart, args))
    record = {**vars(args), "folder": args.folder.name, "data": Path(args.data).stem, "apart": apart}
    record |= {"cpu_seconds": time.process_time() - started, "seconds": sitting.seconds}
    record |= robustness(model, split, apart, args)
    write_json(report, record)
    shown = {key: value for key, value in record.items() if not key.endswith("_each")}
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
