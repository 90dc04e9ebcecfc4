"""Adversarial attacks on variational autoencoders: make one image pass for another."""

from seatbelt_vae.attacks.assessment import Assessment, assess, reconstruct
from seatbelt_vae.attacks.attack import attack
from seatbelt_vae.attacks.budget import BUDGETS, Ball, Grid, MinimumNorm, Penalty, paper_lambdas
from seatbelt_vae.attacks.damage import Damage
from seatbelt_vae.attacks.defended import Expected, NoiseAveraged
from seatbelt_vae.attacks.divergences import DIVERGENCES
from seatbelt_vae.attacks.latent import Latent
from seatbelt_vae.attacks.mcmc import Hamiltonian, Langevin
from seatbelt_vae.attacks.misread import downstream_accuracy
from seatbelt_vae.attacks.objectives import OBJECTIVES
from seatbelt_vae.attacks.output import Output
from seatbelt_vae.attacks.presets import PRESETS
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.attacks.solvers import DDN, FMN, SOLVERS, Adam, Cold, Continuation, Scipy, Shrinking

__all__ = [
    "BUDGETS",
    "DDN",
    "DIVERGENCES",
    "FMN",
    "OBJECTIVES",
    "PRESETS",
    "SOLVERS",
    "Adam",
    "Assessment",
    "AttackResult",
    "Attackable",
    "Ball",
    "Cold",
    "Continuation",
    "Damage",
    "Expected",
    "Grid",
    "Hamiltonian",
    "Langevin",
    "Latent",
    "MinimumNorm",
    "NoiseAveraged",
    "Output",
    "Penalty",
    "Scipy",
    "Shrinking",
    "assess",
    "attack",
    "downstream_accuracy",
    "paper_lambdas",
    "reconstruct",
]
