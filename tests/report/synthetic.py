"""Runs without training: pictures drawn in torch, and attacks that behave like real ones, for the report's tests."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks import Assessment, AttackResult, Grid
from seatbelt_vae.experiments import Record
from seatbelt_vae.measures import Attacked
from seatbelt_vae.metrics import attack_success


def grid(size: int) -> tuple[Tensor, Tensor]:
    axis = (torch.arange(size) + 0.5) / size
    return torch.meshgrid(axis, axis, indexing="ij")


def soft(inside: Tensor, size: int) -> Tensor:
    return torch.sigmoid(inside * 2.5 * size)


def disc(size: int, x: float, y: float, radius: float) -> Tensor:
    v, u = grid(size)
    return soft(radius - torch.hypot(u - x, v - y), size)


def square(size: int, x: float, y: float, half: float, turn: float) -> Tensor:
    v, u = grid(size)
    a, b = u - x, v - y
    a, b = a * math.cos(turn) + b * math.sin(turn), b * math.cos(turn) - a * math.sin(turn)
    return soft(half - torch.maximum(a.abs(), b.abs()), size)


def coloured(shape: Tensor, generator: torch.Generator, channels: int) -> Tensor:
    """A shape on a ground: white on black where grey, in two random colours otherwise; (C, H, W)."""
    if channels == 1:
        return shape[None]
    front, back = torch.rand(2, 3, 1, 1, generator=generator)
    return back * 0.5 + shape * (0.4 + 0.6 * front - back * 0.5)


def blurred(images: Tensor, width: float) -> Tensor:
    reach = torch.arange(-4.0, 5.0)
    kernel = torch.exp(-(reach**2) / (2 * width**2))
    kernel = (kernel / kernel.sum()).outer(kernel / kernel.sum())
    channels = images.shape[-3]
    flat = torch.nn.functional.pad(images.reshape(-1, channels, *images.shape[-2:]), (4, 4, 4, 4), "replicate")
    out = torch.nn.functional.conv2d(flat, kernel.expand(channels, 1, 9, 9), groups=channels)
    return out.reshape(images.shape)


def paper_lambdas(count: int) -> Tensor:
    return torch.cat([torch.zeros(1), 2.0 ** torch.linspace(-20, 20, count - 1)])


def norm(images: Tensor) -> Tensor:
    return images.flatten(-3).norm(dim=-1)


def attacked(
    source: Tensor,
    target: Tensor,
    *,
    strength: float,
    blur: float,
    count: int,
    mode: str,
    seed: int,
    layers: int = 1,
) -> Attacked:
    """An attack whose reach grows as λ falls; `strength` is how well the model resists (0…1)."""
    generator = torch.Generator().manual_seed(seed)
    pairs = len(source)
    lambdas = paper_lambdas(count)
    pivot = 2.0 ** (1 + 4 * strength + 0.7 * torch.randn(pairs, 1, generator=generator))
    reach = 1 / (1 + (lambdas / pivot) ** 3)  # (P, K): 1 where the attack is free, 0 where it costs too much
    noise = 0.06 * torch.randn(pairs, *source.shape[1:], generator=generator)
    direction = (0.35 + 0.4 * strength) * (target - source) + noise
    d = reach[:, :, None, None, None] * direction[:, None]
    adversarial = (source[:, None] + d).clamp(0, 1)
    mix = (reach ** (1 + 2 * strength))[:, :, None, None, None]
    source_rec, target_rec = blurred(source, blur), blurred(target, blur)
    adversarial_rec = source_rec[:, None] * (1 - mix) + target_rec[:, None] * mix
    distortion = norm(adversarial - source[:, None])
    jitter = torch.exp(0.5 * torch.randn(pairs, 1, generator=generator))
    free = 10 ** (1 + 2 * strength) * jitter if mode == "latent" else 150 * jitter
    floor = 1e-2 if mode == "latent" else 120.0
    discrepancy = free * (1 - reach) ** 2 + floor * (1 + strength) * jitter
    result = AttackResult(
        source=source,
        target=target,
        adversarial=adversarial,
        budget=Grid(lambdas, "penalty"),
        objective=discrepancy + lambdas * distortion,
        discrepancy=discrepancy,
        distortion=distortion,
        status=torch.zeros(pairs, count, dtype=torch.int8),
        evaluations=torch.full((pairs, count), 40),
        settings=settings(mode, layers, seed),
    )
    success = attack_success(adversarial_rec, source_rec, target_rec, target)
    assessment = Assessment(
        source_reconstruction=source_rec,
        target_reconstruction=target_rec,
        adversarial_reconstruction=adversarial_rec,
        nll=130 + 900 * (1 - success).clamp(min=0) + 30 * jitter,
        nll_error=torch.full((pairs, count), 9.0),
    )
    return Attacked(result, assessment)


def settings(mode: str, layers: int, seed: int) -> dict[str, Any]:
    objective = {"name": "output", "divergence": "elbo", "samples": 1}
    if mode == "latent":
        objective = {"name": "latent", "divergence": "kl", "layers": list(range(layers)), "samples": 1}
    return {
        "objective": objective,
        "budget": {"name": "penalty", "squared": False},
        "solver": {"name": "continuation", "max_iterations": 1000, "passes": 2},
        "seed": seed,
        "bounds": [0.0, 1.0],
        "model_layers": layers,
        "decoder_sees": "all",
    }


def changed(attacked: Attacked, *, assessment: dict[str, Any] | None = None, **result: Any) -> Attacked:
    """The attack with other fields; settings are given as dotted names in ``settings``."""
    if "settings" in result:
        result["settings"] = with_settings(attacked.result.settings, result["settings"])
    if isinstance(result.get("budget"), Tensor):
        result["budget"] = Grid(result["budget"], attacked.result.budget.kind)
    return Attacked(replace(attacked.result, **result), replace(attacked.assessment, **(assessment or {})))


def with_settings(settings: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    made = {name: dict(value) if isinstance(value, dict) else value for name, value in settings.items()}
    for name, value in other.items():
        table, _, setting = name.rpartition(".")
        if table:
            made[table][setting] = value
        else:
            made[name] = value
    return made


def inside_balls(attacked: Attacked, low: float = 0.5, high: float = 3.5) -> Attacked:
    """The same attack as if it had been made inside balls."""
    radii = torch.linspace(low, high, len(attacked.result.budget.values))
    made = changed(attacked, settings={"budget": {"name": "ball", "norm": "l2", "restarts": 1}})
    return Attacked(replace(made.result, budget=Grid(radii, "ball")), made.assessment)


def moved(attacked: Attacked, success: float | Tensor) -> Attacked:
    """The attack with every success moved: by reconstructions that lie elsewhere on the way from rec(x) to rec(x_t)."""
    wanted = attacked.success + success
    return with_success(attacked, wanted)


def with_success(attacked: Attacked, wanted: Tensor) -> Attacked:
    """The attack with these successes, by reconstructions on the ray from the target through rec(x)."""
    seen, target = attacked.assessment, attacked.result.target
    clean = norm(seen.source_reconstruction - target)
    best = norm(seen.target_reconstruction - target)
    length = clean[:, None] - wanted * (clean - best)[:, None]
    direction = (seen.source_reconstruction - target) / clean[:, None, None, None]
    reached = target[:, None] + length[:, :, None, None, None] * direction[:, None]
    return changed(attacked, assessment={"adversarial_reconstruction": reached})


MODELS = (
    ("vae", "VAE", 0.15, 1.4),
    ("beta-tcvae", "β-TCVAE, β=4", 0.35, 2.2),
    ("seatbelt", "Seatbelt-VAE, L=3, β=4", 0.8, 1.2),
)


def history(strength: float, seed: int, steps: int = 2000) -> list[dict[str, float]]:
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for step in range(0, steps, 20):
        noise = 8 * torch.randn((), generator=generator).item()
        elbo = -160 - 20 * strength - 500 * math.exp(-step / 250) + noise
        kl = 14 * (1 - math.exp(-step / 400)) + 0.1 * noise
        rows.append({"step": step, "loss": -elbo, "elbo": elbo, "log_likelihood": elbo + kl, "kl_1": kl, "lr": 1e-3})
    return rows


def pictures(pairs: int, size: int, channels: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    source, target = [], []
    for _ in range(pairs):
        a, b, c, e, f, g = (0.5 + 0.14 * (2 * torch.rand(6, generator=generator) - 1)).tolist()
        source.append(coloured(square(size, a, b, 0.12 + (c - 0.36) * 0.4, 6 * c), generator, channels))
        target.append(coloured(disc(size, e, f, 0.16 + (g - 0.36) * 0.4), generator, channels))
    return torch.stack(source), torch.stack(target)


def synthetic_runs(
    *, models: int = 3, pairs: int = 2, count: int = 7, size: int = 16, channels: int = 1,
    modes: tuple[str, ...] = ("latent", "output"),
) -> list[Record]:  # fmt: skip
    """Runs of `models` models, each attacked in `modes` on the same pairs."""
    source, target = pictures(pairs, size, channels)
    return [_run(place, source, target, count, modes) for place in range(models)]


def _run(place: int, source: Tensor, target: Tensor, count: int, modes: tuple[str, ...]) -> Record:
    name, label, strength, blur = MODELS[place]
    layers = 3 if name == "seatbelt" else 1
    elbo = -160 - 20 * strength
    return Record(
        name=f"{name}-1a2b3c",
        label=label,
        settings={
            "model": {"name": name, "latent_sizes": [8] * layers, "network": "conv", "posterior": "chain"},
            "objective": {"name": "beta-tc", "beta": 4.0, "estimator": "mws", "batch_size": 128},
            "data": {"name": "sprites", "size": source.shape[-1], "digest": "9f86d081884c7d659a2feaa0c55ad015"},
            "training": {"steps": 2000, "seed": 0, "lr": 1e-3},
            "versions": {"seatbelt-vae": "0.1.0", "torch": "2.13.0"},
        },
        evaluation={
            "elbo": elbo,
            "elbo_error": 1.6,
            "log_likelihood": elbo + 14,
            "kl": 14.0,
            "layer_kl": [9.5, 3.9, 1.4][:layers],
            "images": 1000,
            "settings": {"split": "test", "samples": 1, "penalty": "norm", "seed": 0},
        },
        history=history(strength, place),
        attacks={
            mode: attacked(
                source, target, strength=strength, blur=blur, count=count, mode=mode, seed=place, layers=layers
            )
            for mode in modes
        },
    )


SCALES = [0.03, 0.3, 1.0]


def with_extras(runs: list[Record]) -> list[Record]:
    """The runs with everything else that can be measured: damage, noise, traversals, layers, a machine."""
    return [_with_extras(run, place) for place, run in enumerate(runs)]


def _with_extras(run: Record, place: int) -> Record:
    layers = len(run.settings["model"]["latent_sizes"])
    alone = {f"layer-{layer}": on_layer(run.attacks["latent"], layer) for layer in range(layers) if layers > 1}
    source = run.attacks["latent"].result.source
    return replace(
        run,
        attacks={**run.attacks, **alone, "damage": damaged(source, place)},
        measured={"noise": noise(place), "traversals": traversals(layers, source)},
        evaluation={
            **run.evaluation,
            "noise_scales": SCALES,
            "noise_drop": [1.0 + place, 20.0, 90.0],
            "noise_drop_error": [0.1, 1.0, 4.0],
            "mse": 0.01,
            "mse_error": 0.001,
            "weight_norms": {"encoder": 25.0, "decoder": 24.5},
            "mig": None,
            "active_units": [8] * layers,
        },
        environment=[{"step": 0, "python": "3.11.9", "torch": "2.13.0", "device": "cpu", "threads": 2}],
    )


def on_layer(attacked: Attacked, layer: int) -> Attacked:
    """The latent attack on one layer alone, which gets the less far the higher it is."""
    weaker = with_success(attacked, attacked.success * (1 - 0.2 * layer))
    return changed(weaker, settings={"objective.layers": [layer]})


def damaged(source: Tensor, seed: int, radii: tuple[float, ...] = (0.5, 1.0, 4.0)) -> Attacked:
    """A damage attack whose damage is 2·ε (1 + 0.1·seed) on every image, give or take."""
    generator = torch.Generator().manual_seed(seed)
    pairs, count = len(source), len(radii)
    grid_ = torch.tensor(radii)
    damage = 2 * grid_ * (1 + 0.1 * seed) * (1 + 0.05 * torch.randn(pairs, 1, generator=generator))
    result = AttackResult(
        source=source, target=source, adversarial=source[:, None].expand(-1, count, -1, -1, -1),
        budget=Grid(grid_, "ball"), objective=-damage, discrepancy=-damage, distortion=grid_.expand(pairs, -1),
        status=torch.zeros(pairs, count, dtype=torch.int8), evaluations=torch.full((pairs, count), 9),
        settings={
            "objective": {"name": "damage", "divergence": "reconstruction", "layers": None},
            "budget": {"name": "ball", "norm": "l2", "restarts": 1},
            "solver": {"name": "continuation", "max_iterations": 1000, "passes": 2},
            "seed": 0, "bounds": [0.0, 1.0], "model_layers": 1, "decoder_sees": "all",
        },
    )  # fmt: skip
    reconstruction = blurred(source, 1.4)
    push = torch.ones_like(source[0]) / source[0].numel() ** 0.5  # of length 1
    assessment = Assessment(
        source_reconstruction=reconstruction,
        target_reconstruction=reconstruction,
        adversarial_reconstruction=reconstruction[:, None] + damage[:, :, None, None, None] * push,
        nll=120 + 10 * damage,
        nll_error=torch.full((pairs, count), 2.0),
    )
    return Attacked(result, assessment)


def noise(seed: int, images: int = 60) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    clean = -160 - 20 * seed + 15 * torch.randn(images, generator=generator)
    drop = torch.tensor([[1.0 + seed], [20.0], [90.0]])
    return {"clean": clean, "log_likelihood": clean - drop}


def traversals(layers: int, source: Tensor) -> dict[str, Tensor]:
    tensors = {}
    for layer in range(1, layers + 1):
        pictures = source[:1, None].expand(2, 5, -1, -1, -1) * torch.linspace(0, 1, 5)[None, :, None, None, None]
        tensors[f"images_{layer}"] = (255 * pictures).to(torch.uint8)
        tensors[f"dimensions_{layer}"] = torch.tensor([4, 2])
        tensors[f"kl_{layer}"] = torch.tensor([2.5, 1.25])
        tensors[f"positions_{layer}"] = torch.linspace(-3, 3, 5).expand(2, -1)
    return tensors
