"""The figures and tables of the paper, each a short file: which runs, what is measured, what it shows and claims."""

from seatbelt_vae.experiments.recipes.catalogue import RECIPES, names_of, recipes_of
from seatbelt_vae.experiments.recipes.plan import Plan, estimate_hours, plan
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe
from seatbelt_vae.experiments.recipes.reproduce import reproduce, so_far
from seatbelt_vae.experiments.recipes.results import Results, data_label
from seatbelt_vae.experiments.recipes.rows import tidy
from seatbelt_vae.experiments.recipes.scales import SCALES, Scale, scale_of
from seatbelt_vae.experiments.recipes.verdicts import Verdict, Word, together

__all__ = [
    "RECIPES",
    "SCALES",
    "Drawing",
    "Plan",
    "Recipe",
    "Results",
    "Scale",
    "Verdict",
    "Word",
    "data_label",
    "estimate_hours",
    "names_of",
    "plan",
    "recipes_of",
    "reproduce",
    "scale_of",
    "so_far",
    "tidy",
    "together",
]
