"""Like beside like: which attacks of several runs may share a table, and what no model sets beside them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from seatbelt_vae.attacks import Attackable, AttackResult, reconstruct
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Reference
from seatbelt_vae.metrics.references import blend, blend_path, identity
from seatbelt_vae.report.formats import slug, told_apart
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.kind import Kind, differences

STEPS = 65
"""Images on the way from source to target."""


def groups(records: Sequence[Record]) -> tuple[Group, ...]:
    """Put attacks of one kind on the same images, made in the same way, side by side.

    Numbers of other pairs, other solvers or other grids may not be set against each other and never share a group.

    Returns:
        One group for each kind of attack, set of images and way of making it, in the order in which they are met;
        of a kind the one with most models and budgets first, the others named by what they do otherwise.

    Raises:
        InputError: a run holds the same attack twice.
    """
    found: dict[Kind, list[Trial]] = {}
    for slot, record in enumerate(records):
        for attack in record.attacks:
            _gather(Trial(record, attack, slot), found)
    by_title: dict[tuple[str, str], list[Kind]] = {}
    for kind in found:
        by_title.setdefault((kind.key, kind.title), []).append(kind)
    made = []
    for (key, title), alike in by_title.items():
        alike.sort(key=lambda kind: (-len(found[kind]), -len(found[kind][0].result.budget.values)))
        for kind in alike:
            parts = _apart(kind, alike, found)
            made.append(Group(slug("-".join([key, *parts])), ", ".join([title, *parts]), tuple(found[kind])))
    return tuple(made)


def _gather(trial: Trial, found: dict[Kind, list[Trial]]) -> None:
    """Put a trial with its like; a second one of the same run, with another seed, stands apart."""
    kind = trial.kind
    seed = trial.result.settings.get("seed")
    seeds = [other.result.settings.get("seed") for other in found.get(kind, ()) if other.record is trial.record]
    if seeds and seeds != [seed]:
        kind = replace(kind, made=f"{kind.made} seed {seed}")
    mine = found.setdefault(kind, [])
    if any(other.record is trial.record for other in mine):
        raise InputError(
            f"report: {trial.record.name} holds two attacks that are both “{kind.title}”; keep one of them"
        )
    mine.append(trial)


def _apart(kind: Kind, alike: Sequence[Kind], found: dict[Kind, list[Trial]]) -> list[str]:
    """What tells a group from the first of its kind."""
    first = alike[0]
    parts = []
    if len({other.images for other in alike}) > 1:
        parts.append(f"pairs {kind.images}")
    if kind.made != first.made:
        otherwise = differences(found[kind][0].result, found[first][0].result)
        parts.append(otherwise or "made in another way")
    return parts


def data_name(record: Record) -> str:
    """What the images are called: the name of the data, or of their file without its folder and ending."""
    return Path(str(record.settings.get("data", {}).get("name", "unnamed data"))).stem


def labelled(records: Sequence[Record]) -> tuple[Record, ...]:
    """The runs with labels that differ: where two models share one, the run's name is added.

    Raises:
        InputError: there is no run, or two runs share their name and label.
    """
    if not records:
        raise InputError("report: no run was given; name at least one run folder")
    labels = told_apart([record.label for record in records], [record.name for record in records])
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"report: two runs are called {label}; give each run once")
    return tuple(replace(record, label=label) for record, label in zip(records, labels, strict=True))


def references(group: Group, model: Attackable | None = None) -> tuple[Reference, ...]:
    """What no model sets: the identity, and the blend of source and target as a model sees it.

    Args:
        group: the attack; in a ball of another norm than L2 the identity has other numbers, and is left out.
        model: sees the blend of an attack with a target.
    """
    found = []
    radii = group.result.budget.values
    if model is not None and group.targeted:
        found.append(_blend(model, group.result))
    if group.result.settings["budget"].get("norm", "l2") == "l2":
        found.append(identity(group.pairs, radii.double()))
    return tuple(found)


def _blend(model: Attackable, result: AttackResult) -> Reference:
    made = [reconstruct(model, path) for path in blend_path(result.source, result.target, STEPS)]
    radii = result.budget.values
    if result.budget.kind == "penalty":
        radii = torch.ones(1)  # a grid of penalties has none
    return blend(torch.stack(made), result.source, result.target, radii)
