"""Attacks as published, by name: settings for :func:`seatbelt_vae.attacks.attack`, and nothing else.

    >>> from seatbelt_vae.attacks import attack
    >>> from seatbelt_vae.models import vae
    >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
    >>> attack(model, x, x.flip(0), **{**PRESETS["kos"], "lambdas": [1.0], "max_iterations": 5}).settings["penalty"]
    'squared'

Where a paper walks a range of its own, the grid is given; solver and iterations can be overridden. ``cold`` is the
papers' protocol, every penalty by itself from a start near zero. Warm starts (``solver="path"``) find stronger attacks.

References:
    paper: Willetts et al. 2020, Disentangling improves VAEs' robustness to adversarial attacks.
    tabacof: Tabacof, Tavares & Valle 2016, Adversarial images for variational autoencoders. ‖d‖², 100 penalties.
    gondim-ribeiro: Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial attacks on variational autoencoders. Output, Adam.
    kos: Kos, Fischer & Song 2018, Adversarial examples for generative models. Latent attack.
    kuzina: Kuzina, Welling & Tomczak 2021, Diagnosing vulnerability of VAEs. Symmetric KL, in balls.
    camuto: Camuto et al. 2021, Towards a theoretical understanding of the robustness of VAEs. Maximum damage, L2 balls.
"""

from typing import Any

import torch

from seatbelt_vae.attacks.ingredients import paper_lambdas

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"mode": "latent", "divergence": "kl", "lambdas": "paper", "penalty": "norm", "solver": "cold"},
    "tabacof": {
        "mode": "latent",
        "divergence": "kl",
        "lambdas": paper_lambdas(count=100)[1:],
        "penalty": "squared",
        "solver": "cold",
    },
    "gondim-ribeiro": {
        "mode": "output",
        "divergence": "l2",
        "lambdas": paper_lambdas(),
        "penalty": "squared",
        "solver": "adam",
        "max_iterations": 3000,
    },
    "kos": {"mode": "latent", "divergence": "l2-means", "penalty": "squared", "solver": "cold"},
    "kuzina": {"mode": "latent", "divergence": "skl", "radii": torch.tensor([0.5, 1.0, 2.0]), "restarts": 5},
    "camuto": {
        "mode": "damage",
        "divergence": "reconstruction",
        "radii": torch.tensor([0.5, 1.0, 2.0, 4.0]),
        "restarts": 5,
    },
}
"""Presets by name; ``attack(model, source, target, **PRESETS["paper"])``. Camuto's has no target."""
