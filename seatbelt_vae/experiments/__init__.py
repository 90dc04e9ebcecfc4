"""Experiments: what one is (`ExperimentSpec`), where it is kept (`RunFolder`), and how it is done."""

from seatbelt_vae.experiments.assessment import Assessment, assess
from seatbelt_vae.experiments.attacking import AttackSpec, run_attack, summarise_attack
from seatbelt_vae.experiments.damage import DamageAssessment, assess_damage
from seatbelt_vae.experiments.demo import run_demo
from seatbelt_vae.experiments.evaluation import MEASUREMENTS, run_evaluation
from seatbelt_vae.experiments.family import FAMILY, OBJECTIVES, label
from seatbelt_vae.experiments.flags import spec_from_flags
from seatbelt_vae.experiments.results import results, varying, write_table
from seatbelt_vae.experiments.run import run_training
from seatbelt_vae.experiments.sheet import write_sheet
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec, ModelSpec, ObjectiveSpec, TrainingSpec
from seatbelt_vae.experiments.standing import Standing, State, standing
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.sweep import Sweep, run_sweep
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.experiments.work import EvaluationSpec, Work, perform

__all__ = [
    "FAMILY",
    "MEASUREMENTS",
    "OBJECTIVES",
    "Assessment",
    "AttackSpec",
    "DamageAssessment",
    "DataSpec",
    "EvaluationSpec",
    "ExperimentSpec",
    "ModelSpec",
    "ObjectiveSpec",
    "RunFolder",
    "Standing",
    "State",
    "Sweep",
    "SweepSpec",
    "TrainingSpec",
    "Work",
    "assess",
    "assess_damage",
    "label",
    "perform",
    "results",
    "run_attack",
    "run_demo",
    "run_evaluation",
    "run_sweep",
    "run_training",
    "spec_from_flags",
    "standing",
    "summarise_attack",
    "varying",
    "write_sheet",
    "write_table",
]
