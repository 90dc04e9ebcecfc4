"""The paper again: scales and its numbers as data, recipes, and claims as contrasts of cells of the long table."""

from seatbelt_vae.reproduction.attacks import words
from seatbelt_vae.reproduction.claims import MATTERS, Contrast, Verdict, Word, gone, together, verdicts
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.plan import Plan, estimate_hours, plan
from seatbelt_vae.reproduction.recipes import ALL, NAMES, Recipe, names_of, recipe, shortened
from seatbelt_vae.reproduction.results import Results, tidy, title_of
from seatbelt_vae.reproduction.run import reproduce, so_far
from seatbelt_vae.reproduction.scales import SCALES, Scale, scale_of

__all__ = [
    "ALL",
    "MATTERS",
    "NAMES",
    "SCALES",
    "Contrast",
    "Images",
    "Plan",
    "Recipe",
    "Results",
    "Scale",
    "Verdict",
    "Word",
    "estimate_hours",
    "gone",
    "names_of",
    "plan",
    "recipe",
    "reproduce",
    "scale_of",
    "shortened",
    "so_far",
    "tidy",
    "title_of",
    "together",
    "verdicts",
    "words",
]
