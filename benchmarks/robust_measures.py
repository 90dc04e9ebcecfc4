"""What the robustness benchmark measures of a model: damage in balls, targeted attacks, and lines no model sets."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks import Ball, Continuation, Damage, Latent, Output, Penalty, attack, reconstruct
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.attacks.solvers import Solver
from seatbelt_vae.data import ImageDataset
from seatbelt_vae.metrics import (
    attack_pca,
    attack_success,
    auddc,
    blend,
    blend_path,
    distance,
    f50,
    fit_pca,
    relative_distortion,
)
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import ELBO
from seatbelt_vae.optim.ball import solve_ball

RADII = (0.025, 0.05, 0.1, 0.2)
"""Of the balls, as shares of the median distance between two training images."""
LAMBDAS = tuple(2.0**power for power in range(-4, 11))
OBJECTIVES = {"latent": Latent(), "output": Output(samples=1)}
BLEND_STEPS = 101
DEFAULT = Continuation(passes=2)
NOISES = 10

Measures = dict[str, Any]


def median_distance(dataset: ImageDataset, count: int = 2000) -> float:
    """The median L2 distance between two images of a data set."""
    images = dataset.sample(min(count, len(dataset)))[:].flatten(1)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    gaps = images - images[order].roll(1, 0)
    return float(torch.linalg.vector_norm(gaps, dim=1).median())


@torch.no_grad()
def quality(model: HierarchicalVAE, test: ImageDataset) -> Measures:
    """Pixel MSE, ELBO and KL on held-out images."""
    x = test.sample(min(1000, len(test)))[:]
    noise = model.draw_noise(len(x), torch.Generator().manual_seed(0))
    terms = ELBO()(model(x, noise), x, len(x))
    mse = (model.reconstruct(x) - x).square().mean()
    kl = terms.layer_kl.sum(-1).mean()
    return {"mse": float(mse), "elbo": float(terms.elbo.mean()), "kl": float(kl)}


def damage(model: HierarchicalVAE, source: Tensor, radii: list[float], restarts: int) -> Tensor:
    """The worst images of the balls, (P, K, C, H, W)."""
    return attack(model, source, None, Damage(), Ball(radii, restarts=restarts)).adversarial


def damage_from(model: HierarchicalVAE, source: Tensor, radii: list[float], start: Tensor) -> Tensor:
    """The same, where each ball's search sets out from given images (P, K, C, H, W)."""
    problem = prepare(model, source, None, Damage()).problem
    found = []
    for k, radius in enumerate(radii):
        begun = replace(problem, x0=(start[:, k] - source).flatten(1))
        found.append(solve_ball(begun, [radius]).x.view_as(source))
    return (source[:, None] + torch.stack(found, 1)).clamp(0, 1)


def moved(model: HierarchicalVAE, source: Tensor, images: Tensor) -> Tensor:
    """‖rec(x') − rec(x)‖ of images (P, K, C, H, W), (P, K)."""
    reconstructions = reconstruct(model, images.flatten(0, 1)).view_as(images)
    return distance(reconstructions, reconstruct(model, source))


def noisy(source: Tensor, radii: list[float], seed: int = 0) -> Tensor:
    """Gaussian noise of the length of each radius, within the bounds: (P, N·K, C, H, W), radii fastest."""
    generator = torch.Generator().manual_seed(seed)
    length = torch.tensor(radii).repeat(NOISES).view(-1, 1, 1, 1)
    d = torch.randn(len(source), len(length), *source.shape[1:], generator=generator)
    x = source[:, None]
    for _ in range(20):  # what the bounds take away is given back to the other pixels
        d = d * (length / d.flatten(2).norm(dim=-1)[..., None, None, None])
        d = (x + d).clamp(0, 1) - x
    return x + d


def noise_damage(model: HierarchicalVAE, source: Tensor, radii: list[float]) -> Tensor:
    """Mean damage of noise of each length, (P, K)."""
    damage = moved(model, source, noisy(source, radii))
    return damage.view(len(source), NOISES, len(radii)).mean(1)


def targeted(model: HierarchicalVAE, source: Tensor, target: Tensor, mode: str, solver: Solver = DEFAULT) -> Measures:
    """f50 and AUDDC of each pair, by an attack along λ; an f50 that is never reached counts 1."""
    result = attack(model, source, target, OBJECTIVES[mode], Penalty(LAMBDAS), solver)
    images = result.adversarial
    reached = reconstruct(model, images.flatten(0, 1)).view_as(images)
    success = attack_success(reached, reconstruct(model, source), reconstruct(model, target), target)
    relative = relative_distortion(result.distortion, source, target)
    return {
        f"f50_{mode}_each": f50(relative, success).clamp(max=1.0).tolist(),
        f"auddc_{mode}_each": auddc(relative, success).tolist(),
    }


def references(
    model: HierarchicalVAE, train: ImageDataset, source: Tensor, target: Tensor, radii: list[float], mse: float
) -> Measures:
    """f50 and AUDDC of the blend through the model, and of PCA with the model's MSE, for each pair."""
    path = blend_path(source, target, BLEND_STEPS)
    reconstructions = reconstruct(model, path.flatten(0, 1)).view_as(path)
    sizes = torch.tensor(radii)
    lines = {
        "blend": blend(reconstructions, source, target, sizes),
        "pca": attack_pca(fit_pca(train.sample(min(2000, len(train)))[:], mse), source, target, sizes),
    }
    found: Measures = {}
    for name, line in lines.items():
        found[f"f50_{name}_each"] = line.f50.clamp(max=1.0).tolist()
        found[f"auddc_{name}_each"] = line.auddc.tolist()
    return found
