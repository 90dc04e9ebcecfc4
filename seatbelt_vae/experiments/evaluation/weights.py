"""Size of the weights (Table 1), and what the training took."""

from dataclasses import asdict

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject


def _weights(subject: Subject) -> Measured:
    return Measured({"weight_norms": asdict(metrics.weight_norms(subject.model))})


def _training_time(subject: Subject) -> Measured:
    return Measured({"training_seconds": subject.training_seconds})


WEIGHTS = Measurement(
    "weights",
    _weights,
    (),
    (
        Quantity(
            "weight_norms",
            "L2 of the weights: encoder, decoder",
            "",
            "",
            "L2 norm of all weights; the paper reports how it changes with β, neither way is better.",
        ),
    ),
    "weights",
)
TRAINING_TIME = Measurement(
    "training-time",
    _training_time,
    (),
    (Quantity("training_seconds", "Training", "s", "", "Time that the training steps took, on its own machine."),),
    "weights",
)
