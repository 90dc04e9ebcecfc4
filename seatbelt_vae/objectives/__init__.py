"""What is maximised: the ELBO and its relatives, one family a file."""

from seatbelt_vae.objectives.adversarial import Adversarial
from seatbelt_vae.objectives.aggregate import log_aggregate, total_correlation
from seatbelt_vae.objectives.avae import AVAE
from seatbelt_vae.objectives.beta_tc import BetaTC
from seatbelt_vae.objectives.denoising import Denoising
from seatbelt_vae.objectives.elbo import ELBO, BetaVAE
from seatbelt_vae.objectives.factor_vae import FactorVAE
from seatbelt_vae.objectives.hfvae import HFVAE
from seatbelt_vae.objectives.hold_mse import HoldMSE
from seatbelt_vae.objectives.protocol import Batch, Objective
from seatbelt_vae.objectives.smooth_encoder import SmoothEncoder
from seatbelt_vae.objectives.terms import Terms

__all__ = [
    "AVAE",
    "ELBO",
    "HFVAE",
    "Adversarial",
    "Batch",
    "BetaTC",
    "BetaVAE",
    "Denoising",
    "FactorVAE",
    "HoldMSE",
    "Objective",
    "SmoothEncoder",
    "Terms",
    "log_aggregate",
    "total_correlation",
]
