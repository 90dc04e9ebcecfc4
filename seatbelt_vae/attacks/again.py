"""What an attack found, computed again from its images alone."""

from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation.memory import images_per_call
from seatbelt_vae.attacks.objectives import OBJECTIVES
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.attacks.setup import Setup, prepare
from seatbelt_vae.errors import InputError
from seatbelt_vae.settings import build


def objective_of(settings: dict[str, Any]) -> AttackObjective:
    """The objective that an attack's settings describe.

    Raises:
        InputError: they describe none.

    Example:
        >>> objective_of({"objective": {"name": "latent", "divergence": "w2", "layers": [0]}}).layers
        (0,)
    """
    given = dict(settings["objective"])
    if isinstance(given.get("layers"), list):
        given["layers"] = tuple(given["layers"])
    objective: AttackObjective = build(OBJECTIVES, given.pop("name"), given, "objective")
    return objective


def setup_of(model: Attackable, result: AttackResult, pairs: int) -> Setup:
    """The problem of the first pairs of an attack, with the attack's own random numbers.

    Raises:
        InputError: the result does not fit the model, or does not say how it was made.
    """
    objective = objective_of(result.settings)
    target = None
    if result.targeted:
        target = result.target[:pairs]
    try:
        seed = int(result.settings["seed"])
        low, high = map(float, result.settings["bounds"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"settings: do not say how the attack was made ({error})") from error
    return prepare(model, result.source[:pairs], target, objective, seed=seed, bounds=(low, high))


def discrepancy(model: Attackable, result: AttackResult, pairs: int) -> Tensor:
    r"""The part r(d) of what an attack minimised, at d = x* − x, with the attack's own random numbers.

    It is that of the result up to the rounding of x + d.

    Args:
        model: the attacked model.
        result: the attack.
        pairs: how many, the first ones.

    Returns:
        r, (pairs, K).

    Raises:
        InputError: the result does not fit the model.

    Example:
        >>> from seatbelt_vae.attacks import Cold, Latent, Penalty, attack
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
        >>> result = attack(model, x, x.flip(0), Latent(), Penalty([1.0]), Cold(max_iterations=3))
        >>> torch.allclose(discrepancy(model, result, 1), result.discrepancy[:1].float(), rtol=1e-3)
        True
    """
    setup = setup_of(model, result, pairs)
    objective = setup.objective
    d = (result.adversarial[:pairs].to(setup.source) - setup.source[:, None]).flatten(2)
    rows = torch.arange(len(d), device=d.device).repeat_interleave(d.shape[1])
    size = images_per_call(setup.source, objective.draws) or len(rows)
    found = []
    with torch.no_grad():
        for part, index in zip(d.flatten(0, 1).split(size), rows.split(size), strict=True):
            found.append(setup.problem.fun(part, index).cpu())
    return torch.cat(found).view(d.shape[:2])
