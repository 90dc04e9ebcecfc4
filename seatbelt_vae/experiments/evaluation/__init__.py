"""``evaluation.json``: every measurement of a trained model, made once and kept."""

from seatbelt_vae.experiments.evaluation.measurements import MEASUREMENTS, Measured, Measurement
from seatbelt_vae.experiments.evaluation.run import is_evaluated, run_evaluation
from seatbelt_vae.experiments.evaluation.settings import EvaluationSettings
from seatbelt_vae.experiments.evaluation.subject import Draws, Subject

__all__ = [
    "MEASUREMENTS",
    "Draws",
    "EvaluationSettings",
    "Measured",
    "Measurement",
    "Subject",
    "is_evaluated",
    "run_evaluation",
]
