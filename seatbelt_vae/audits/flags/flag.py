"""What a flag is, and what it is judged from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seatbelt_vae.audits.facts import Facts
from seatbelt_vae.audits.memory import Memory
from seatbelt_vae.audits.subject import Found, Subject, envelope, together
from seatbelt_vae.audits.whitebox import Attempt, Posed


@dataclass(frozen=True)
class Flag:
    """A sign of false robustness, looked for.

    Attributes:
        name: of the sign.
        raised: whether it is there.
        value: the figure that decided; None where it could not be measured.
        rule: when it is raised, in words.
        advice: what to do about it, one sentence.
        information: whether it only says something about the model, and leaves its robustness as measured.
    """

    name: str
    raised: bool
    value: float | None
    rule: str
    advice: str
    information: bool = False


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that an audit has found.

    Attributes:
        subject: the model and its pairs.
        facts: how it answers.
        posed: objectives by the name of their entry.
        attempts: the suite.
        noise: of the norms `RADII`, the last of which are those of ``damage-l2``, and of further ones.
        blend: the straight way.
        more: further attempts, with more of everything, each beside one of the suite by its name.
        free: attacks from the source with a distortion that costs nothing.
        searched: where a search without gradients came to from the best of the suite; None without a suite.
        transfers: images found on other models.
        memory: test images against training images; None where there were none.
    """

    subject: Subject
    facts: Facts
    posed: Mapping[str, Posed]
    attempts: tuple[Attempt, ...]
    noise: Found
    blend: Found
    more: tuple[Attempt, ...] = ()
    free: tuple[Found, ...] = ()
    searched: Found | None = None
    transfers: tuple[Found, ...] = ()
    memory: Memory | None = None

    @property
    def attacked(self) -> bool:
        """Whether the suite has attacks, made or failed."""
        return any(each.entry.solves for each in self.attempts)

    @cached_property
    def suite(self) -> list[Found]:
        """What each attack of the suite found; x itself first, if nothing else."""
        return [self.nothing, *_found(self.attempts)]

    @cached_property
    def everything(self) -> list[Found]:
        """What was found by whatever means, but for the blend."""
        found = [*self.suite, *_found(self.more), self.noise, *self.free, *self.transfers]
        if self.searched is not None:
            found.append(self.searched)
        return found

    @cached_property
    def own(self) -> Found:
        """The same as if one attack had found it."""
        return together("suite", self.suite)

    @cached_property
    def nothing(self) -> Found:
        """The source, not attacked."""
        return self.subject.judge("nothing", self.subject.source[:, None])

    @cached_property
    def worst(self) -> Found:
        """The same as if one had found it."""
        return together("worst", self.everything)

    def named(self, name: str) -> Attempt | None:
        """The attempt of a name that went well."""
        for each in self.attempts:
            if each.entry.name == name and each.found is not None:
                return each
        return None


Rule = Callable[[Evidence], Flag]
"""A function that looks for a sign."""


def _found(attempts: tuple[Attempt, ...]) -> list[Found]:
    return [each.found for each in attempts if each.found is not None]


def median(values: Tensor, pairs: Tensor) -> float | None:
    """The median over chosen pairs (P,) of values (P,); None without a pair."""
    chosen = values[pairs]
    if not len(chosen):
        return None
    return float(chosen.double().median())


def above(value: float | None, limit: float) -> bool:
    """Whether there is a value, and it is above a limit, or no number at all."""
    return value is not None and not value <= limit


LIMITS = torch.tensor([0.1, 0.2, 0.3, 0.5])
"""Relative distortions at which rivals are set beside the suite."""


def ahead(rival: Found, suite: Iterable[Found], pairs: Tensor) -> float | None:
    """By how much success of a rival is above that of the suite: the median over pairs, at the limit where it is most.

    Args:
        rival: what another way found.
        suite: what each attack of the suite found.
        pairs: those on which success means something, (P,).
    """
    lead = rival.curve(LIMITS) - envelope(suite, LIMITS)
    medians = [median(column, pairs) for column in lead.T]
    known = [value for value in medians if value is not None]
    return max(known, default=None)
