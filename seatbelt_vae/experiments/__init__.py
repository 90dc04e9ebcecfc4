"""Experiments: what one is (`ExperimentSpec`), where it is kept (`RunFolder`), and how it is done."""

from seatbelt_vae.experiments.assessment import Assessment, assess
from seatbelt_vae.experiments.attacking import AttackSpec, run_attack, summarise_attack
from seatbelt_vae.experiments.demo import run_demo
from seatbelt_vae.experiments.family import FAMILY, OBJECTIVES, label
from seatbelt_vae.experiments.flags import spec_from_flags
from seatbelt_vae.experiments.run import run_evaluation, run_training
from seatbelt_vae.experiments.sheet import write_sheet
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec, ModelSpec, ObjectiveSpec, TrainingSpec
from seatbelt_vae.experiments.store import RunFolder

__all__ = [
    "FAMILY",
    "OBJECTIVES",
    "Assessment",
    "AttackSpec",
    "DataSpec",
    "ExperimentSpec",
    "ModelSpec",
    "ObjectiveSpec",
    "RunFolder",
    "TrainingSpec",
    "assess",
    "label",
    "run_attack",
    "run_demo",
    "run_evaluation",
    "run_training",
    "spec_from_flags",
    "summarise_attack",
    "write_sheet",
]
