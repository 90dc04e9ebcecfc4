"""Hierarchical VAEs: one class, put together by factories."""

from seatbelt_vae.models.conditional import GaussianConditional
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.lipschitz import lipschitz_vae
from seatbelt_vae.models.zoo import FACTORIES, beta_tcdlgm, biva, build, dlgm, ladder_vae, seatbelt_vae, vae

__all__ = [
    "FACTORIES",
    "LIKELIHOODS",
    "Decoder",
    "Encoding",
    "GaussianConditional",
    "Generative",
    "HierarchicalVAE",
    "beta_tcdlgm",
    "biva",
    "build",
    "dlgm",
    "ladder_vae",
    "lipschitz_vae",
    "seatbelt_vae",
    "vae",
]
