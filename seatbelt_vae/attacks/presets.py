"""Attacks as published, by name: an objective, a budget and a solver for :func:`seatbelt_vae.attacks.attack`.

    >>> import torch
    >>> from dataclasses import replace
    >>> from seatbelt_vae.attacks import attack
    >>> from seatbelt_vae.models import vae
    >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
    >>> objective, budget, solver = PRESETS["kos"]
    >>> attack(model, x, x.flip(0), objective, replace(budget, lambdas=[1.0]), replace(solver, max_iterations=5))
    AttackResult: latent attack (l2-means) on 2 pairs, cold...

Where a paper goes over a range of its own, the grid is given. ``Cold`` is the papers' protocol, every penalty by itself
from a start near zero. Warm starts (``Continuation``) find stronger attacks.

References:
    paper: Willetts et al. 2020, Disentangling improves VAEs' robustness to adversarial attacks.
    tabacof: Tabacof, Tavares & Valle 2016, Adversarial images for variational autoencoders. ‖d‖², 100 penalties.
    gondim-ribeiro: Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial attacks on variational autoencoders. Output, Adam.
    kos: Kos, Fischer & Song 2018, Adversarial examples for generative models. Latent attack.
    kuzina: Kuzina, Welling & Tomczak 2021, Diagnosing vulnerability of VAEs. Symmetric KL, in balls.
    camuto: Camuto et al. 2021, Towards a theoretical understanding of the robustness of VAEs. Maximum damage, L2 balls.
"""

from typing import NamedTuple

from seatbelt_vae.attacks.budget import Ball, Budget, Penalty, paper_lambdas
from seatbelt_vae.attacks.damage import Damage
from seatbelt_vae.attacks.latent import Latent
from seatbelt_vae.attacks.output import Output
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.solvers import Adam, Cold, Solver


class Preset(NamedTuple):
    """The three parts of an attack."""

    objective: AttackObjective
    budget: Budget
    solver: Solver


HUNDRED = tuple(paper_lambdas(count=100)[1:].tolist())

PRESETS: dict[str, Preset] = {
    "paper": Preset(Latent("kl"), Penalty("paper"), Cold()),
    "tabacof": Preset(Latent("kl"), Penalty(HUNDRED, squared=True), Cold()),
    "gondim-ribeiro": Preset(Output("l2"), Penalty("paper", squared=True), Adam()),
    "kos": Preset(Latent("l2-means"), Penalty("paper", squared=True), Cold()),
    "kuzina": Preset(Latent("skl"), Ball((0.5, 1.0, 2.0), restarts=5), Cold()),
    "camuto": Preset(Damage(), Ball((0.5, 1.0, 2.0, 4.0), restarts=5), Cold()),
}
"""Presets by name: ``attack(model, source, target, *PRESETS["paper"])``. Camuto's has no target."""
