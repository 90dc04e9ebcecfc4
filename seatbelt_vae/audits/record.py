"""An audit as one JSON document: its schema, and its version."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from seatbelt_vae.errors import InputError

VERSION = 1
"""Of the schema; a document of another one is refused."""


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A number; null where it is NaN or infinite: not defined, or not reached."""


class Part(BaseModel):
    """A frozen part of the document, without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IntervalRecord(Part):
    """A mean over pairs and the ends of its 95 % interval."""

    value: Number
    low: Number
    high: Number


class ProbeRecord(Part):
    """What was understood of the model."""

    image_shape: tuple[int, ...]
    bounds: tuple[float, float]
    latent_shapes: tuple[tuple[int, ...], ...]
    scale: tuple[float, float, float]
    relative_scale: float
    deterministic: bool
    random: bool
    mixes: bool
    smoothed: bool
    reason: str
    assumptions: tuple[str, ...]
    estimated_seconds: Number


class AttackRecord(Part):
    """One attack: how it was made, what it found, or why it was not made."""

    name: str
    settings: dict[str, Any]
    budget: tuple[float, ...]
    evaluations: int
    f50: IntervalRecord | None
    failure: str


class FlagRecord(Part):
    """A sign of false robustness; `information` leaves the numbers as they are."""

    raised: bool
    value: Number
    rule: str
    advice: str
    information: bool


class CurveRecord(Part):
    """Means over pairs and ends of their intervals at each relative distortion."""

    distortion: tuple[float, ...]
    success: tuple[IntervalRecord, ...]
    damage: tuple[IntervalRecord, ...]
    blend: tuple[Number, ...]
    noise: tuple[Number, ...]


class SandwichRecord(Part):
    """f50 of each pair: certified from below, attacked from above; and what the target's code takes at least."""

    below: tuple[Number, ...]
    above: tuple[Number, ...]
    code_below: tuple[Number, ...]


class AuditRecord(Part):
    """The document."""

    format: Literal["seatbelt-audit"] = "seatbelt-audit"
    version: Literal[1] = 1
    seatbelt: str
    torch: str
    model: str
    suite: str
    seed: int
    pairs: int
    images_digest: str
    seconds: float
    probe: ProbeRecord
    attacks: tuple[AttackRecord, ...]
    flags: dict[str, FlagRecord]
    measures: dict[str, IntervalRecord]
    values: dict[str, tuple[Number, ...]]
    radius: float
    references: dict[str, dict[str, Number]]
    curve: CurveRecord
    sandwich: SandwichRecord
    trusted: bool
    sentence: str


def read(document: Any, source: str) -> AuditRecord:
    """Check a document.

    Args:
        document: JSON values.
        source: where they are from, for messages.

    Raises:
        InputError: it is no audit, or one of another version.

    Example:
        >>> read({"format": "other"}, "a.json")
        Traceback (most recent call last):
        ...
        seatbelt_vae.errors.InputError: a.json: is no audit; needs the audit.json that seatbelt audit wrote
    """
    if not isinstance(document, dict) or document.get("format") != "seatbelt-audit":
        raise InputError(f"{source}: is no audit; needs the audit.json that seatbelt audit wrote")
    if document.get("version") != VERSION:
        raise InputError(f"{source}: is an audit of version {document.get('version')}, this is version {VERSION}")
    try:
        return AuditRecord.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{source}: {place}: {first['msg']}; audit the model again") from error
