"""The catalogue of every number that is shown.

A measure of a *run* is a number of its evaluation. A measure of a *pair* is computed from an attack, one number a pair.
A measure along a *curve* has one number for each pair and each budget (a penalty λ, or the radius ε of a ball).
"""

from seatbelt_vae.measures.attacked import Attacked, geometric_mean, shown_index
from seatbelt_vae.measures.catalogue import (
    CURVES,
    DISENTANGLEMENT,
    EVIDENCE,
    GAINED,
    IMAGES,
    MATCHED,
    MEASURES,
    NOISE,
    REACHED,
    WEIGHTS,
    measures_of,
)
from seatbelt_vae.measures.measure import Better, Kind, Measure, objective_unit

__all__ = [
    "CURVES",
    "DISENTANGLEMENT",
    "EVIDENCE",
    "GAINED",
    "IMAGES",
    "MATCHED",
    "MEASURES",
    "NOISE",
    "REACHED",
    "WEIGHTS",
    "Attacked",
    "Better",
    "Kind",
    "Measure",
    "geometric_mean",
    "measures_of",
    "objective_unit",
    "shown_index",
]
