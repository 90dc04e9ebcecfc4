"""Training: a loop that resumes to the bit, its checkpoints and its diagnostics."""

from seatbelt_vae.signals import Terminated
from seatbelt_vae.training.checkpoint import Checkpoint, seconds_spent, steps_done
from seatbelt_vae.training.device import choose_device
from seatbelt_vae.training.diagnostics import CollapseWarning
from seatbelt_vae.training.history import read_history
from seatbelt_vae.training.loop import TrainingResult, train
from seatbelt_vae.training.settings import Settings
from seatbelt_vae.training.update import Update

__all__ = [
    "Checkpoint",
    "CollapseWarning",
    "Settings",
    "Terminated",
    "TrainingResult",
    "Update",
    "choose_device",
    "read_history",
    "seconds_spent",
    "steps_done",
    "train",
]
