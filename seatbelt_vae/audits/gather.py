"""Every image of an audit, stage by stage: attacks, controls, and attacks with more of everything."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from seatbelt_vae.attacks import Attackable
from seatbelt_vae.attacks.evaluation.copies import plain_copy
from seatbelt_vae.audits.controls import blend, noise
from seatbelt_vae.audits.facts import Facts
from seatbelt_vae.audits.flags import Evidence
from seatbelt_vae.audits.search import search
from seatbelt_vae.audits.subject import Found, Subject
from seatbelt_vae.audits.suite import CHECKS, RADII, Entry, more_of, most_iterations
from seatbelt_vae.audits.whitebox import Attempt, Posed, attempt, tried
from seatbelt_vae.metrics.robustness import with_axes_of
from seatbelt_vae.progress import Advance, progress_bar

FREE = ("latent-kl", "latent-means", "output")
"""Objectives that are also attacked with a free distortion."""

LONGER = 4
"""Times the iterations of the suite: what a free distortion may take."""

TRANSFERRED = ("latent-kl", "output")
"""Attacks that are made on siblings."""

NEAR, FAR, MIXED = 0.02, 0.6, 0.3
"""Relative distortions between which a search sets out from an attack, and that of the blend it sets out from else."""


@dataclass(frozen=True)
class Plan:
    """What an audit does.

    Attributes:
        entries: the suite.
        siblings: other models of the same images.
        seed: of starts and directions.
        memory: bytes that attacks may take.
    """

    entries: tuple[Entry, ...]
    siblings: Sequence[Attackable]
    seed: int
    memory: float

    @contextmanager
    def stages(self, progress: bool) -> Iterator[Advance]:
        """A bar over the stages."""
        steps = len(self.entries) + len(FREE) + len(CHECKS) + len(self.siblings) + 1
        with progress_bar("Auditing", total=steps, enabled=progress) as advance:
            yield advance

    def posed(self, subject: Subject) -> dict[str, Posed]:
        """The objectives that can be posed, by the name of their entry; why others cannot the attempt finds out."""
        found = {}
        for entry in self.entries:
            known = self._pose(subject, entry)
            if known is not None:
                found[entry.name] = known
        return found

    def _pose(self, subject: Subject, entry: Entry) -> Posed | None:
        return tried(lambda: Posed.of(subject, entry.objective, self.seed, self.memory), lambda failure: None)

    def attempt(self, entry: Entry, subject: Subject, posed: Posed | None = None) -> Attempt:
        """One attack."""
        return attempt(entry, subject, self.seed, self.memory, posed)


def gather(subject: Subject, facts: Facts, posed: Mapping[str, Posed], plan: Plan, advance: Advance) -> Evidence:
    """Make every attack of a plan, and every control.

    Args:
        subject: the model and its pairs.
        facts: how it answers.
        posed: objectives by the name of their entry.
        plan: what to do.
        advance: moves a bar on by a stage.
    """
    radii = torch.tensor(RADII) * float(subject.apart.median())
    evidence = Evidence(
        subject,
        facts,
        posed,
        attempts=tuple(_attempts(subject, posed, plan, advance)),
        noise=noise(subject, radii, plan.seed),
        blend=blend(subject),
    )
    if not evidence.attacked:
        return evidence
    return replace(
        evidence,
        free=tuple(_free(subject, posed, plan, advance)),
        more=tuple(_more(subject, posed, plan, advance)),
        transfers=tuple(_transfers(subject, plan, advance)),
        searched=_searched(evidence, plan.seed, advance),
    )


def _attempts(subject: Subject, posed: Mapping[str, Posed], plan: Plan, advance: Advance) -> Iterator[Attempt]:
    for entry in plan.entries:
        yield plan.attempt(entry, subject, posed.get(entry.name))
        advance(1, entry.name)


def _free(subject: Subject, posed: Mapping[str, Posed], plan: Plan, advance: Advance) -> Iterator[Found]:
    """Attacks from the source, and not from the target, whose distortion costs nothing."""
    iterations = LONGER * most_iterations(plan.entries)
    for name in FREE:
        if name in posed:
            yield from tried(partial(_freely, subject, posed[name], iterations), lambda failure: [])
        advance(1, "free distortion")


def _freely(subject: Subject, posed: Posed, iterations: int) -> list[Found]:
    result = posed.free(iterations)
    return [subject.judge("free", result.adversarial, int(result.evaluations.sum()))]


def _more(subject: Subject, posed: Mapping[str, Posed], plan: Plan, advance: Advance) -> Iterator[Attempt]:
    """Some attacks once more, from another start and with more of everything."""
    for entry in plan.entries:
        if entry.name in CHECKS and entry.name in posed:
            again = replace(posed[entry.name], seed=plan.seed + 1)
            yield plan.attempt(more_of(entry), subject, again)
            advance(1, "more of everything")


def _transfers(subject: Subject, plan: Plan, advance: Advance) -> Iterator[Found]:
    """What attacks on other models do to this one."""
    for sibling in plan.siblings:
        other = replace(subject, model=plain_copy(sibling))
        for entry in plan.entries:
            if entry.name in TRANSFERRED:
                made = plan.attempt(entry, other)
                if made.result is not None:
                    spent = int(made.result.evaluations.sum())
                    yield subject.judge("transfer", made.result.adversarial, spent)
        advance(1, "transfer")


def _searched(evidence: Evidence, seed: int, advance: Advance) -> Found:
    """From the image of the suite that is half a success, or from a blend where there is none on the way."""
    own = evidence.own
    subject = evidence.subject
    between = (own.distortion > NEAR) & (own.distortion < FAR)
    off = (own.success - 0.5).abs().masked_fill(~between, torch.inf)
    attacked = own.images[torch.arange(len(off)), off.argmin(1)]
    mixed = torch.lerp(subject.source, subject.target, MIXED)
    start = torch.where(with_axes_of(between.any(1), mixed), attacked, mixed)
    found = search(subject, start, _length(start - subject.source), seed)
    advance(1, "search without gradients")
    return found


def _length(images: Tensor) -> Tensor:
    return torch.linalg.vector_norm(images.flatten(1), dim=1)
