"""What is known of one trained model, and places in it: what the table is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from seatbelt_vae.measures import Attacked


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of one trained model.

    Args:
        name: the run's name.
        label: the model's short name in tables and legends.
        settings: what was asked for, as tables of the spec: ``data``, ``model``, ``objective``, ``training``.
        evaluation: measures of the run by key: numbers, or lists by layer (bottom first) or by scale of noise.
        attacks: attacks by name; they may be read when they are asked for.
        history: records of the training.
        measured: tensors of measurements by name: ``noise``, ``traversals``.
        environment: where it was trained, a record for each sitting.
    """

    name: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    attacks: Mapping[str, Attacked] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    measured: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    environment: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, eq=False)
class Cell:
    """A place in the table: a run, and an attack on it by name; empty for what was measured without one.

    Args:
        record: the run.
        attack: the attack's name.
    """

    record: Record
    attack: str = ""
