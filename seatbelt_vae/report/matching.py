"""Like beside like: which attacks of several runs may be set side by side, and how they are told apart."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from seatbelt_vae.errors import InputError
from seatbelt_vae.report.formats import weight_text
from seatbelt_vae.report.runs import BALLS, DIVERGENCES, Comparison, ReportRun, Trial, array

if TYPE_CHECKING:
    from seatbelt_vae.attacks.result import AttackResult

BOOKKEEPING = (
    "mode", "divergence", "penalty", "ball", "layers", "bounds", "pairs", "pair_seed", "pairs_digest", "decoder_sees",
    "model_layers",
)  # fmt: skip
"""Settings that a title, a `Scope` or a digest of the pairs tells."""

FEW = 6
"""Weights that a title names one by one, where two grids are to be told apart."""


class Attacked(Protocol):
    """A trial of any kind of attack."""

    @property
    def run(self) -> ReportRun:
        """The model."""

    @property
    def result(self) -> AttackResult:
        """What the attack found."""


T = TypeVar("T", bound=Attacked)


@dataclass(frozen=True)
class Group:
    """What attacks must share to be set side by side.

    Attributes:
        key: of the kind of attack, for files.
        title: the same in words.
        pairs: digest of the images.
        protocol: how the attack was made, see `protocol`.
    """

    key: str
    title: str
    pairs: str
    protocol: str


def comparisons(runs: Sequence[ReportRun]) -> tuple[Comparison, ...]:
    """Put attacks with the same mode, divergence, layers and pairs, made in the same way, side by side.

    Numbers of other pairs, other solvers or other weights may not be set against each other and never share a
    comparison. An attack on some layers alone stands here only where the run has no such attack on those that its
    decoder sees; `seatbelt_vae.report.layers` sets the two against each other.

    Args:
        runs: the models, in the report's order.

    Returns:
        One comparison for each kind of attack, set of pairs and way of making it, in the order in which they are met;
        of a kind the one with most models and weights first, the others named by what they do otherwise.

    Raises:
        InputError: a run holds the same attack twice.
    """
    trials = [trial for slot, run in enumerate(runs) for trial in _shown(run, slot)]
    grouped = gathered((_kind(trial), trial) for trial in trials)
    return tuple(Comparison(key, title, tuple(group)) for key, title, group in grouped)


def _shown(run: ReportRun, slot: int) -> list[Trial]:
    trials = [Trial(run, slot, *attacked) for attacked in run.attacks]
    whole = {Group(*kind_of(trial.result.settings), *_how(trial)) for trial in trials if trial.scope.usual}
    return [
        trial
        for trial in trials
        if trial.scope.usual or Group(*kind_of(trial.result.settings), *_how(trial)) not in whole
    ]


def _kind(trial: Trial) -> tuple[str, str]:
    key, title = kind_of(trial.result.settings)
    scope = trial.scope
    return (key, title) if scope.usual else (f"{key}-{scope.key}", f"{title} on {scope.words}")


def _how(trial: Attacked) -> tuple[str, str]:
    return pairs_digest(trial.result), protocol(trial.result)


def gathered(trials: Iterable[tuple[tuple[str, str], T]]) -> list[tuple[str, str, list[T]]]:
    """Gather trials that may be set side by side, and name each group.

    Args:
        trials: each with the key and title of its kind.

    Returns:
        Key, title and trials of each group.

    Raises:
        InputError: a run holds the same attack twice.
    """
    groups: dict[Group, list[T]] = {}
    for (key, title), trial in trials:
        group = Group(key, title, *_how(trial))
        seed = trial.result.settings.get("seed")
        mine = [other.result.settings.get("seed") for other in groups.get(group, ()) if other.run is trial.run]
        if mine and mine != [seed]:
            group = Group(key, title, group.pairs, f"{group.protocol} seed {seed}")
        if any(other.run is trial.run for other in groups.get(group, ())):
            raise InputError(f"report: {trial.run.name} holds two attacks that are both “{title}”; keep one of them")
        groups.setdefault(group, []).append(trial)
    return [(*_named(group, groups), mine) for group, mine in _ordered(groups)]


def _ordered(groups: Mapping[Group, list[T]]) -> list[tuple[Group, list[T]]]:
    """By the first of a kind; within it the largest first."""
    kinds = list(dict.fromkeys((group.key, group.title) for group in groups))

    def place(item: tuple[Group, list[T]]) -> tuple[int, int, int]:
        group, mine = item
        return kinds.index((group.key, group.title)), -len(mine), -len(mine[0].result.lambdas)

    return sorted(groups.items(), key=place)


def _named(group: Group, groups: Mapping[Group, list[T]]) -> tuple[str, str]:
    """Key and title: those of the kind, and what tells the group from the first of that kind."""
    alike = [(other, mine) for other, mine in _ordered(groups) if other.key == group.key]
    first, mine = alike[0]
    parts = []
    if len({other.pairs for other, _ in alike}) > 1:
        parts.append(f"pairs {group.pairs}")
    if first.protocol != group.protocol:
        otherwise = differences(described(groups[group][0].result), described(mine[0].result))
        parts.append(otherwise or "made in another way")
    return slug("-".join([group.key, *parts])), ", ".join([group.title, *parts])


def described(result: AttackResult) -> dict[str, Any]:
    """How an attack was made: its settings, and the grid of its weights or radii."""
    symbol = "ε" if result.settings.get("ball") else "λ"
    values = [weight_text(symbol, float(value)) for value in result.lambdas]
    words = f"at {len(values)} values, {values[0]} to {values[-1]}" if len(values) > FEW else ", ".join(values)
    return {**result.settings, symbol: words}


def protocol(result: AttackResult) -> str:
    """What attacks must share, beside kind and pairs, for their results to be set against each other.

    Everything in which they were made but the seed: solver, iterations, restarts, samples, weights.
    """
    settings = {name: value for name, value in result.settings.items() if name not in (*BOOKKEEPING, "seed")}
    grid = [f"{value:.6g}" for value in result.lambdas.tolist()]
    return json.dumps([settings, grid], sort_keys=True, default=str)


def pairs_digest(result: AttackResult) -> str:
    """A digest of the source and target images themselves (12 hexadecimal digits)."""
    digest = hashlib.sha256()
    for images in (result.source, result.target):
        digest.update(np.ascontiguousarray(array(images).astype(np.float32)).tobytes())
    return digest.hexdigest()[:12]


def differences(settings: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The settings that are not those of another attack, in words; what `BOOKKEEPING` names is told otherwise.

    Example:
        >>> differences({"solver": "path", "seed": 0, "layers": [0]}, {"solver": "adam", "seed": 0})
        'solver path'
    """
    others = {name: value for name, value in settings.items() if name not in BOOKKEEPING}
    return ", ".join(f"{name} {_words(value)}" for name, value in others.items() if value != other.get(name))


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def slug(words: str) -> str:
    """Words as the name of a file.

    Example:
        >>> slug("latent-kl-seed 1")
        'latent-kl-seed-1'
    """
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")


def kind_of(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Key and title of an attack from its settings; attacks of other keys are never compared with it.

    Example:
        >>> kind_of({"mode": "latent", "divergence": "kl", "penalty": "norm"})
        ('latent-kl', 'Latent attack (KL)')
        >>> kind_of({"mode": "output", "divergence": "elbo", "penalty": "squared"})
        ('output-squared', 'Output attack, penalty λ‖d‖²')
    """
    mode, divergence = str(settings["mode"]), str(settings.get("divergence") or "")
    key, title = mode, f"{mode.capitalize()} attack"
    if (mode, divergence) != ("output", "elbo") and divergence:
        key, title = f"{mode}-{divergence}", f"{title} ({DIVERGENCES.get(divergence, divergence)})"
    if settings.get("penalty") == "squared":
        key, title = f"{key}-squared", f"{title}, penalty λ‖d‖²"
    if ball := settings.get("ball"):
        key, title = f"{key}-{ball}-ball", f"{title} inside {BALLS.get(ball, ball)} balls"
    return slug(key), title
