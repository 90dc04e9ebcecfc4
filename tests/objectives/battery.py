"""The rows and columns of the battery: every model, objective, likelihood and image shape of the family."""

from collections.abc import Callable

import torch
from torch import Tensor

from seatbelt_vae.models import LIKELIHOODS, HierarchicalVAE, build
from seatbelt_vae.objectives import ELBO, HFVAE, BetaTC, BetaVAE, FactorVAE, Objective
from tests.tiny import network

MODELS: dict[str, tuple[str, str]] = {
    "vae": ("vae", "chain"),
    "dlgm": ("dlgm", "chain"),
    "beta-tcdlgm": ("beta-tcdlgm", "chain"),
    "ladder-vae": ("ladder-vae", "ladder"),
    "biva": ("biva", "bidirectional"),
    "seatbelt": ("seatbelt", "chain"),
    "seatbelt-x": ("seatbelt", "chain-x"),
    "seatbelt-top-down": ("seatbelt", "top-down"),
}

TOP = 3
OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "elbo": lambda: ELBO(free_bits=0.01),
    "beta-vae": lambda: BetaVAE(beta=4.0),
    "mws": lambda: BetaTC(beta=6.0, estimator="mws"),
    "mss": lambda: BetaTC(beta=6.0, estimator="mss"),
    "leave-one-in": lambda: BetaTC(beta=6.0, estimator="leave-one-in"),
    "hfvae": lambda: HFVAE(groups=((0, 2), (1,)), alpha=1.5),
    "factor-vae": lambda: FactorVAE.for_latent_size(TOP, width=4),
}

SHAPES = [(channels, side, side) for channels in (1, 3) for side in (28, 64)]
DATA_SIZE = 100


def sizes(model: str) -> tuple[int, ...]:
    return (TOP,) if model == "vae" else (4, TOP)


def built(model: str, likelihood: str, shape: tuple[int, int, int], kind: str | None = None) -> HierarchicalVAE:
    """A member with tiny networks, or with the library's of a kind."""
    torch.manual_seed(0)
    name, posterior = MODELS[model]
    sees_all = name not in ("dlgm", "beta-tcdlgm", "ladder-vae")
    latents = sum(sizes(model)) if sees_all else sizes(model)[0]
    pair = network(shape, latents, LIKELIHOODS[likelihood]().maps_per_channel)
    return build(
        name,
        shape,
        latent_sizes=sizes(model),
        network=kind or pair,
        likelihood=likelihood,
        posterior=posterior,
        hidden_sizes=(16,),  # so many that not all of a layer's ReLUs are dead at once
    )


def images(likelihood: str, count: int, shape: tuple[int, int, int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Images on the likelihood's domain: binary, or grey levels k/255."""
    generator = torch.Generator().manual_seed(1)
    levels = torch.randint(256, (count, *shape), generator=generator)
    return ((levels > 127) if likelihood == "bernoulli" else levels / 255).to(dtype)


def double(objective: Objective) -> Objective:
    """An objective whose adversary, if it has one, is in float64."""
    if objective.adversary is not None:
        objective.adversary.double()
    return objective
