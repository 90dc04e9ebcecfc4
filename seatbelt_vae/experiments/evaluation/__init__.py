"""``evaluation.json``: every measurement of a trained model, made once and kept."""

from seatbelt_vae.experiments.evaluation.catalogue import MEASUREMENTS, chosen, quantities
from seatbelt_vae.experiments.evaluation.measurement import Better, Group, Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.run import evaluation_settings, is_evaluated, run_evaluation
from seatbelt_vae.experiments.evaluation.subject import EvaluationSettings, Subject

__all__ = [
    "MEASUREMENTS",
    "Better",
    "EvaluationSettings",
    "Group",
    "Measured",
    "Measurement",
    "Quantity",
    "Subject",
    "chosen",
    "evaluation_settings",
    "is_evaluated",
    "quantities",
    "run_evaluation",
]
