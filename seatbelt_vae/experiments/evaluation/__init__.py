"""``evaluation.json``: every measurement of a trained model, made once and kept."""

from seatbelt_vae.experiments.evaluation.measurements import MEASUREMENTS, Measured, Measurement, chosen
from seatbelt_vae.experiments.evaluation.run import is_evaluated, run_evaluation
from seatbelt_vae.experiments.evaluation.settings import EvaluationSettings
from seatbelt_vae.experiments.evaluation.subject import Subject

__all__ = [
    "MEASUREMENTS",
    "EvaluationSettings",
    "Measured",
    "Measurement",
    "Subject",
    "chosen",
    "is_evaluated",
    "run_evaluation",
]
