"""Train one model in one robust way, and measure what an attack can do to it.

Usage: python benchmarks/robust.py FOLDER DATA MODEL METHOD [--seed 0] [--set radius=0.1 inner_steps=4] [--steps 1000]

FOLDER gets one run: the model, its training state and `robust.json` with the measures. What is there is not done
again, and an interrupted training goes on. DATA is a name of `DATA` below, or a path to an .npz. METHOD is one of
`METHODS`; radii are shares of the median distance between two training images. Adapted networks, such as the one of
Burgess et al. 2018 (`--network burgess`), are built here.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks import attack
from seatbelt_vae.data import ImageDataset, load_dataset, pairs
from seatbelt_vae.metrics import attack_success, auddc
from seatbelt_vae.models import HierarchicalVAE, build
from seatbelt_vae.models.modes import evaluating
from seatbelt_vae.objectives import ELBO, Adversarial, BetaTC, Objective
from seatbelt_vae.storage import read_json, write_json
from seatbelt_vae.training import Settings, Update
from seatbelt_vae.training.sitting import Sitting

DATA = {
    "chairs": "/work/shared/data/chairs_mesh64.npz",
    "faces": "/work/shared/data/faces3d64.npz",
    "celeba": "/work/shared/data/celeba64.npz",
}
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
RADII = (0.025, 0.05, 0.1, 0.2)
LAMBDAS = [2.0**power for power in range(-4, 11)]


def adversarial(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    return Adversarial(base, radius=radius * apart, **settings)


def denoising(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    from seatbelt_vae.objectives import Denoising

    return Denoising(base, radius=radius * apart, **settings)


def smooth(base: Objective, apart: float, radius: float = 0.11, **settings: Any) -> Objective:
    from seatbelt_vae.objectives import SmoothEncoder

    return SmoothEncoder(base, radius=radius * apart, **settings)


def avae(base: Objective, apart: float, **settings: Any) -> Objective:
    from seatbelt_vae.objectives import AVAE

    return AVAE(base, **settings)


def both(base: Objective, apart: float, radius: float = 0.11, gamma: float | None = None) -> Objective:
    settings = {} if gamma is None else {"gamma": gamma}
    return smooth(adversarial(base, apart, radius), apart, radius, **settings)


def held(base: Objective, apart: float, mse: float, rate: float = 0.1, **settings: Any) -> Objective:
    from seatbelt_vae.objectives import HoldMSE

    return HoldMSE(adversarial(base, apart, **settings), mse=mse, rate=rate)


METHODS: dict[str, Callable[..., Objective]] = {
    "plain": lambda base, apart: base,
    "adversarial": adversarial,
    "denoising": denoising,
    "smooth": smooth,
    "avae": avae,
    "both": both,
    "held": held,
}


def median_distance(dataset: ImageDataset, count: int = 2000) -> float:
    """The median L2 distance between two images of a data set."""
    images = dataset.sample(min(count, len(dataset)))[:].flatten(1)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return float(torch.linalg.vector_norm(images - images[order].roll(1, 0), dim=1).median())


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


@torch.no_grad()
def quality(model: HierarchicalVAE, test: ImageDataset) -> dict[str, float]:
    """Pixel MSE, ELBO and KL on held-out images."""
    x = test.sample(min(1000, len(test)))[:]
    noise = model.draw_noise(len(x), torch.Generator().manual_seed(0))
    objective = ELBO()
    terms = objective(model(x, noise), x, len(x))
    mse = (model.reconstruct(x) - x).square().mean()
    return {"mse": float(mse), "elbo": float(terms.elbo.mean()), "kl": float(terms.layer_kl.sum(-1).mean())}


def smallest(distortion: Tensor, success: Tensor, level: float = 0.5) -> Tensor:
    """The distortion at which the envelope of success reaches a level, by interpolation; ∞ where it never does."""
    found = []
    for x, y in zip(distortion.tolist(), success.tolist(), strict=True):
        at, best, answer = 0.0, 0.0, float("inf")
        for here, reached in sorted(zip(x, y, strict=True)):
            if reached >= level:
                answer = at + (here - at) * (level - best) / (reached - best)
                break
            if reached > best:
                at, best = here, reached
        found.append(answer)
    return torch.tensor(found)


@torch.no_grad()
def blend(model: HierarchicalVAE, source: Tensor, target: Tensor) -> Tensor:
    """f50 of x + s (x_t - x): no gradient, no attack."""
    shares = torch.linspace(0, 1, 101)
    line = source[:, None] + shares[:, None, None, None] * (target - source)[:, None]
    gained = success_of(model, line, source, target)
    return smallest(shares.expand(len(source), -1), gained)


@torch.no_grad()
def success_of(model: HierarchicalVAE, adversarial: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Success of adversarial images (P, K, C, H, W), (P, K)."""
    rec = model.reconstruct(adversarial.flatten(0, 1)).view_as(adversarial)
    return attack_success(rec, model.reconstruct(source), model.reconstruct(target), target)


def robustness(
    model: HierarchicalVAE, test: ImageDataset, apart: float, count: int, modes: list[str]
) -> dict[str, Any]:
    """Damage at four radii; f50 and AUDDC of targeted attacks, beside the blend's f50."""
    drawn = pairs(test, count)
    source, target = drawn.source, drawn.target
    radii = [share * apart for share in RADII]
    result = attack(model, source, mode="damage", radii=radii, restarts=3)
    with torch.no_grad():
        moved = model.reconstruct(result.adversarial.flatten(0, 1)).view_as(result.adversarial)
        damage = torch.linalg.vector_norm((moved - model.reconstruct(source)[:, None]).flatten(2), dim=-1)
    found: dict[str, Any] = {"damage": damage.mean(0).tolist(), "damage_each": damage.tolist(), "radii": radii}
    length = torch.linalg.vector_norm((source - target).flatten(1), dim=1)
    without = blend(model, source, target).clamp(max=1.0)
    found |= {"blend": float(without.mean()), "blend_each": without.tolist()}
    for mode in modes:
        result = attack(
            model, source, target, mode=mode, lambdas=LAMBDAS, **({"samples": 1} if mode == "output" else {})
        )
        gained = success_of(model, result.adversarial, source, target)
        f50 = smallest(result.distortion / length[:, None], gained)
        area = auddc(result.distortion, length, gained, from_origin=True)
        finite = f50.clamp(max=1.0)
        found |= {f"f50_{mode}": float(finite.mean()), f"f50_{mode}_each": finite.tolist()}
        found |= {f"auddc_{mode}": float(area.mean())}
    return found


def measures(model: HierarchicalVAE, test: ImageDataset, apart: float, args: argparse.Namespace) -> dict[str, Any]:
    """All measures of a model, in evaluation mode."""
    with evaluating(model):
        return quality(model, test) | robustness(model, test, apart, args.pairs, args.modes)


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
    if report.exists() and all(f"f50_{mode}" in read_json(report) for mode in args.modes):
        print(report, "is there")
        return
    data = load_dataset(DATA.get(args.data, args.data), size=args.size)
    split = data.split(0.1, 0)
    apart = median_distance(split.train)
    model, base = make(args, data.image_shape)
    objective = METHODS[args.method](base, apart, **parsed(args.set))
    started = time.process_time()
    settings = Settings(args.steps, args.batch_size, seed=args.seed, precision="bfloat16")
    update = Update(model.train(), split.train, objective, settings)
    sitting = Sitting(update, args.folder, resume=True, extend=False)
    record = {**vars(args), "folder": str(args.folder), "apart": apart}
    curve = args.folder / "curve.json"
    while sitting.step < args.steps:
        update(sitting.step, sitting.advice)
        sitting.step += 1
        if sitting.step in args.marks or sitting.step % 500 == 0:
            sitting.save()
        if sitting.step in args.marks:
            before = time.process_time()
            point = {"step": sitting.step, **measures(model, split.test, apart, args)}
            points = []
            if curve.exists():
                points = read_json(curve)
            write_json(curve, [*points, point])
            started += time.process_time() - before
    sitting.save()
    record |= {"cpu_seconds": time.process_time() - started, "seconds": sitting.seconds}
    record |= measures(model, split.test, apart, args)
    write_json(report, record)
    shown = {key: value for key, value in read_json(report).items() if not key.endswith("_each")}
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
