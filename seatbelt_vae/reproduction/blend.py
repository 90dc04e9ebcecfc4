"""The blend of source and target: how far from a model's attacks one comes without looking at the model."""

from dataclasses import replace

import torch

from seatbelt_vae.attacks import Grid, assess
from seatbelt_vae.experiments import Record, RunFolder
from seatbelt_vae.measures import Attacked
from seatbelt_vae.metrics.references import blend_path

STEPS = 65
"""Images on the way."""


def blended(folder: RunFolder) -> Record:
    r"""A run as if each of its attacks with a target had blended :math:`x + s (x_t - x)` for s from 0 to 1.

    Args:
        folder: a trained model, attacked.

    Returns:
        Its record, with nothing but these attacks; a measure of them is read as that of any other.
    """
    record = folder.record()
    attacks = {}
    for name, attacked in record.attacks.items():
        if attacked.result.targeted:
            attacks[name] = _blended(folder, attacked)
    return replace(record, label="Blend", evaluation={}, attacks=attacks)


def _blended(folder: RunFolder, attacked: Attacked) -> Attacked:
    result = attacked.result
    adversarial = blend_path(result.source, result.target, STEPS)
    distortion = torch.linalg.vector_norm(adversarial - result.source[:, None], dim=(-3, -2, -1))
    nothing = torch.zeros_like(distortion)
    made = replace(
        result,
        adversarial=adversarial,
        budget=Grid(torch.linspace(0, 1, STEPS), result.budget.kind),
        objective=nothing,
        discrepancy=nothing,
        distortion=distortion,
        status=nothing.long(),
        evaluations=nothing.long(),
    )
    return Attacked(made, assess(folder.model(), made, samples=1))
