"""What a measurement is: a name, how it is made, what decides it, and what its numbers mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from seatbelt_vae.experiments.evaluation.subject import Subject

Better = Literal["higher", "lower", ""]
Group = Literal["evidence", "disentanglement", "images", "noise", "weights", ""]


@dataclass(frozen=True)
class Quantity:
    """A number of ``evaluation.json``, or a list of them by layer (bottom first) or by scale of noise.

    Attributes:
        key: its name in the file; ``key_error``, where there is one, is its standard error in the same unit.
        title: its heading in tables.
        unit: nats and so on; empty for a pure number.
        better: which way is better, or empty where neither is.
        definition: a sentence or two for readers.
        listed: whether tables show it.
    """

    key: str
    title: str
    unit: str
    better: Better
    definition: str
    listed: bool = True


@dataclass(frozen=True)
class Measured:
    """What a measurement found.

    Attributes:
        values: numbers and lists for ``evaluation.json``, by the keys of the quantities.
        tensors: what is too large for that (pictures, one number an image), for ``evaluation/<name>.safetensors``.
    """

    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """One line of `seatbelt_vae.experiments.evaluation.MEASUREMENTS`.

    Attributes:
        name: what ``--measure`` calls it.
        make: measures a subject.
        uses: the settings that decide its result.
        quantities: what it gives.
        group: the table in which reports show it; empty for none.
        quick: whether it is made unless told otherwise.
        needs_factors: whether it needs to know what generated each image.
    """

    name: str
    make: Callable[[Subject], Measured]
    uses: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    group: Group = ""
    quick: bool = True
    needs_factors: bool = False
