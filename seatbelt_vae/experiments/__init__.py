"""Experiments: what one is (`ExperimentSpec`), where it is kept (`RunFolder`), and how it is done."""

from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.attacking import run_attack
from seatbelt_vae.experiments.build import label
from seatbelt_vae.experiments.demo import run_demo
from seatbelt_vae.experiments.evaluation import MEASUREMENTS, EvaluationSettings, run_evaluation
from seatbelt_vae.experiments.record import Cell, Record
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec, ModelSpec, ObjectiveSpec, RobustSpec, TrainingSpec
from seatbelt_vae.experiments.status import State, Status, status
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.sweep import Sweep, run_sweep, varying
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.experiments.table import Table, check_format
from seatbelt_vae.experiments.tasks import Task, perform
from seatbelt_vae.experiments.training_run import run_training
from seatbelt_vae.experiments.upgrade import upgrade
from seatbelt_vae.experiments.verify import Check, verify

__all__ = [
    "MEASUREMENTS",
    "AttackSpec",
    "Cell",
    "Check",
    "DataSpec",
    "EvaluationSettings",
    "ExperimentSpec",
    "ModelSpec",
    "ObjectiveSpec",
    "Record",
    "RobustSpec",
    "RunFolder",
    "State",
    "Status",
    "Sweep",
    "SweepSpec",
    "Table",
    "Task",
    "TrainingSpec",
    "check_format",
    "label",
    "perform",
    "run_attack",
    "run_demo",
    "run_evaluation",
    "run_sweep",
    "run_training",
    "status",
    "upgrade",
    "varying",
    "verify",
]
