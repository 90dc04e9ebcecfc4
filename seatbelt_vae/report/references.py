"""What no model sets, for the attacks of trained runs."""

import torch
from torch import Tensor

from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.metrics import Reference
from seatbelt_vae.metrics.references import blend, blend_path
from seatbelt_vae.report.compare import known_references
from seatbelt_vae.report.group import Group

STEPS = 65
"""Images on the way from source to target."""


def references(folder: RunFolder, group: Group) -> tuple[Reference, ...]:
    """The identity, and under an attack with a target the blend of source and target as a model sees it.

    Args:
        folder: the run whose model encodes the blend: the first of the report.
        group: the attack.
    """
    known = known_references(group)
    if not group.targeted:
        return known
    return _blend(folder, group), *known


@torch.no_grad()
def _blend(folder: RunFolder, group: Group) -> Reference:
    source = group.result.source
    target = group.result.target
    assert target is not None
    model = folder.model().eval()
    made = [model.reconstruct(path) for path in blend_path(source, target, STEPS)]
    return blend(torch.stack(made), source, target, _radii(group))


def _radii(group: Group) -> Tensor:
    """Those of its balls; a grid of penalties has none."""
    if group.symbol == "λ":
        return torch.ones(1)
    return group.result.budget.values
