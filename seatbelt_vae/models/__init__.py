"""Hierarchical VAEs: one class, put together by factories."""

from seatbelt_vae.models.conditional import GaussianConditional
from seatbelt_vae.models.exported import export
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.variants import VARIANTS, Architecture, Variant, completed, variant_of
from seatbelt_vae.models.zoo import beta_tcdlgm, biva, build, dlgm, ladder_vae, lipschitz_vae, seatbelt_vae, vae

__all__ = [
    "LIKELIHOODS",
    "VARIANTS",
    "Architecture",
    "Decoder",
    "Encoding",
    "GaussianConditional",
    "Generative",
    "HierarchicalVAE",
    "Variant",
    "beta_tcdlgm",
    "biva",
    "build",
    "completed",
    "dlgm",
    "export",
    "ladder_vae",
    "lipschitz_vae",
    "seatbelt_vae",
    "vae",
    "variant_of",
]
