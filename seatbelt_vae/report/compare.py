"""Like beside like: which attacks of several runs may share a table, and how they are told apart."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Reference
from seatbelt_vae.metrics.references import identity
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.kind import Kind, differences, slug
from seatbelt_vae.report.scope import Scope


def groups(records: Sequence[Record]) -> tuple[Group, ...]:
    """Put attacks of one kind on the same images, made in the same way, side by side.

    Numbers of other pairs, other solvers or other grids may not be set against each other and never share a group. An
    attack on some layers alone stands here only where the run has no such attack on those that its decoder sees;
    `layer_groups` sets the two against each other.

    Args:
        records: the models, in the report's order.

    Returns:
        One group for each kind of attack, set of images and way of making it, in the order in which they are met;
        of a kind the one with most models and budgets first, the others named by what they do otherwise.

    Raises:
        InputError: a run holds the same attack twice.
    """
    trials: list[tuple[Kind, Trial]] = []
    for slot, record in enumerate(records):
        mine = _trials(record, slot)
        whole = {trial.kind for trial in mine if trial.scope.usual}
        for trial in mine:
            if trial.scope.usual:
                trials.append((trial.kind, trial))
            elif trial.kind not in whole:
                trials.append((_on_layers(trial), trial))
    return tuple(Group(key, title, tuple(found)) for key, title, found in _gathered(trials))


def layer_groups(records: Sequence[Record]) -> tuple[Group, ...]:
    """Gather the attacks that differ in their layers alone; models attacked at one set of layers are left out.

    Args:
        records: the models, in the report's order.
    """
    leaders: list[tuple[Kind, Trial]] = []
    by_leader: dict[Trial, list[Trial]] = {}
    for slot, record in enumerate(records):
        alike: dict[Kind, dict[Scope, Trial]] = {}
        for trial in _trials(record, slot):
            alike.setdefault(trial.kind, {}).setdefault(trial.scope, trial)
        for kind, scopes in alike.items():
            if len(scopes) > 1:
                ordered = sorted(scopes.values(), key=lambda trial: trial.scope.order)
                leaders.append((kind, ordered[0]))
                by_leader[ordered[0]] = ordered
    found = []
    for key, title, group in _gathered(leaders):
        trials = [trial for leader in group for trial in by_leader[leader]]
        found.append(Group(f"{key}-layers", f"{title} by layer", tuple(trials), by_layer=True))
    return tuple(found)


def _trials(record: Record, slot: int) -> list[Trial]:
    return [Trial(record, slot, attack) for attack in record.attacks]


def _on_layers(trial: Trial) -> Kind:
    kind = trial.kind
    scope = trial.scope
    return replace(kind, key=f"{kind.key}-{scope.key}", title=f"{kind.title} on {scope.words}")


Named = list[tuple[str, str, list[Trial]]]


def _gathered(trials: Sequence[tuple[Kind, Trial]]) -> Named:
    """Gather trials that may be set side by side: key, title and trials of each group."""
    found: dict[Kind, list[Trial]] = {}
    for kind, trial in trials:
        seeds = [_seed(other) for other in found.get(kind, ()) if other.record is trial.record]
        if seeds and seeds != [_seed(trial)]:
            kind = replace(kind, made=f"{kind.made} seed {_seed(trial)}")
        mine = found.setdefault(kind, [])
        if any(other.record is trial.record for other in mine):
            raise InputError(
                f"report: {trial.record.name} holds two attacks that are both “{kind.title}”; keep one of them"
            )
        mine.append(trial)
    titles = list(dict.fromkeys((kind.key, kind.title) for kind in found))
    named: Named = []
    for key, title in titles:
        alike = [kind for kind in found if (kind.key, kind.title) == (key, title)]
        alike.sort(key=lambda kind: (-len(found[kind]), -len(found[kind][0].result.budget.values)))
        for kind in alike:
            parts = _apart(kind, alike, found)
            named.append((slug("-".join([key, *parts])), ", ".join([title, *parts]), found[kind]))
    return named


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


def _seed(trial: Trial) -> object:
    return trial.result.settings.get("seed")


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
    labels = [record.label for record in records]
    distinct = []
    for record in records:
        if labels.count(record.label) > 1:
            record = replace(record, label=f"{record.label} ({record.name})")
        distinct.append(record)
    names = [record.label for record in distinct]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"report: two runs are called {name}; give each run once")
    return tuple(distinct)


def known_references(group: Group) -> tuple[Reference, ...]:
    """What no model sets and what is known without data: the identity, where distortion is measured by its L2 norm."""
    if group.result.settings["budget"].get("norm", "l2") != "l2":
        return ()
    return (identity(group.pairs, group.result.budget.values.double()),)
