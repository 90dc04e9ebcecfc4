"""Appendix: turning a heart. The source is a heart of the sprites, the target the same heart turned by π.

    seatbelt reproduce rotated-heart --scale laptop --data sprites --out DIR

Expected: a β-TCVAE is made to turn the heart by a fainter distortion than a Seatbelt-VAE. Only for models of sprites.
Runtime: one more attack on each of the four models.
"""

import dataclasses
import math

import torch
from torch import Tensor

from seatbelt_vae.attacks import attack
from seatbelt_vae.data import ImageDataset
from seatbelt_vae.data.sprites import draw_sprites
from seatbelt_vae.experiments.assessment import assess
from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.attacks import PATH
from seatbelt_vae.experiments.recipes.point import Point, four, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.training import choose_device

HEART = 2


class HeartAttack(AttackSpec):
    """An attack whose pairs are hearts, and not drawn from the test images."""

    @property
    def name(self) -> str:
        """The attack's name in its run."""
        return f"rotated-heart-{super().name}"


def hearts(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Hearts in the middle at `count` equal steps of a turn, and each of them turned by π.

    Args:
        count: how many.
        size: side of the images, pixels.

    Returns:
        Sources and targets in [0, 1], (P, 1, size, size) each.

    Example:
        >>> source, target = hearts(1, 64)
        >>> bool((source.flip(2, 3) - target).abs().mean() < 0.01)  # half a turn mirrors both axes
        True
    """
    angles, centre = torch.arange(count) * (2 * math.pi / count), torch.full((count,), 0.5)
    shape = torch.full((count,), HEART)
    turned = (draw_sprites(shape, torch.ones(count), angles + by, centre, centre) for by in (0.0, math.pi))
    source, target = (ImageDataset(images, name="hearts").resized(size)[:] for images in turned)
    return source, target


def run_heart_attack(folder: RunFolder, spec: HeartAttack, *, device: str = "auto") -> None:
    """Make the attack on a trained model, measure it and keep it in the run's folder; once.

    Raises:
        InputError: the run is not finished.
    """
    if spec.name in folder.attacks:
        return
    model = folder.model().to(choose_device(device))
    test = folder.split.test
    source, target = hearts(spec.pairs, test.image_shape[-1])
    settings = spec.model_dump(exclude={"pairs", "pair_seed"})
    result = attack(model, source, target, **settings, bounds=test.bounds)
    known = {"pairs": spec.pairs, "pairs_of": "a heart and the same turned by π", "decoder_sees": model.decoder_sees}
    known["model_layers"] = len(model.latent_sizes)
    result = dataclasses.replace(result, settings={**result.settings, **known})
    assessment = assess(model, result, seed=spec.seed)
    result.save(folder.attacks_path, spec.name)
    assessment.save(folder.attacks_path, spec.name)


def _attacks(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    pairs = min(scale.pairs, 8)
    return (HeartAttack(pairs=pairs, lambdas=scale.lambdas, max_iterations=scale.warm_iterations, solver=PATH),)


def _claims(results: Results) -> list[Verdict]:
    weights = {seatbelt(results.scale.deep, results.scale.high): 1.0, seatbelt(1, results.scale.high): -1.0}
    claim = "It is harder to turn a heart in the Seatbelt-VAE than in the β-TCVAE"
    return more_robust(results, claim, weights, attacks=_attacks)


RECIPE = Recipe(
    name="rotated-heart",
    title="Appendix: turning a heart",
    expected="The Seatbelt-VAE needs a more visible distortion to turn the heart.",
    points=four,
    attacks=_attacks,
    quantities=("success_at_0.5", "auddc", "objective"),
    drawings=(Drawing("panels"),),
    claims=_claims,
    suits=lambda data, factors: "sprites" in data,
)
