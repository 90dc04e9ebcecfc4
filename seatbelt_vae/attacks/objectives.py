"""What attacks can minimise, by name."""

from seatbelt_vae.attacks.damage import Damage
from seatbelt_vae.attacks.latent import Latent
from seatbelt_vae.attacks.output import Output
from seatbelt_vae.attacks.part import AttackObjective

OBJECTIVES: dict[str, type[AttackObjective]] = {
    "latent": Latent,
    "output": Output,
    "damage": Damage,
}
"""Objectives by name; a new one is a file and a line here."""
