"""Adversarial attacks on variational autoencoders: make one image pass for another."""

from seatbelt_vae.attacks.attack import attack
from seatbelt_vae.attacks.divergences import DIVERGENCES
from seatbelt_vae.attacks.ingredients import paper_lambdas
from seatbelt_vae.attacks.presets import PRESETS
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.attacks.setup import Setup, prepare

__all__ = ["DIVERGENCES", "PRESETS", "AttackResult", "Attackable", "Setup", "attack", "paper_lambdas", "prepare"]
