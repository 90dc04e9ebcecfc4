"""The attacks of an audit: a table of objectives, budgets and solvers, free of parameters.

Prices and radii are relative, so that the table suits every model and every kind of image.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from seatbelt_vae.attacks import Ball, Cold, Continuation, Damage, Latent, MinimumNorm, Output, Penalty, Shrinking
from seatbelt_vae.attacks.budget import Budget
from seatbelt_vae.attacks.part import AttackObjective, check_choice
from seatbelt_vae.attacks.solvers import Solver

PRICES = (2**-6, 2**-3, 2**-1, 1.0, 2.0, 4.0, 8.0)
"""λ of a targeted attack in units of r(0)/‖x − x_t‖: at 1 the source itself costs as much as the target."""

STEEP = (2**-3, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""The same where r falls steeply from the source on, and answers leap from it to the target within a few λ."""

RADII = (0.02, 0.05, 0.1, 0.2)
"""ε of damage, in units of the median ‖x − x_t‖."""


@dataclass(frozen=True)
class Entry:
    """One attack.

    Attributes:
        name: what it is called in the document.
        objective: what is minimised.
        solver: what minimises it.
        prices: λ in units of r(0)/‖x − x_t‖, the median over pairs; empty for a ball.
        radii: ε in units of the median ‖x − x_t‖; empty for prices.
        levels: of success, to be reached with the smallest norm. With none of the three it is posed, and not solved.
        norm: of the ball.
        restarts: of the ball.
    """

    name: str
    objective: AttackObjective
    solver: Solver
    prices: tuple[float, ...] = ()
    radii: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    norm: str = "l2"
    restarts: int = 1

    @property
    def solves(self) -> int:
        """How many problems each pair poses."""
        return len(self.prices) + len(self.radii) * self.restarts + len(self.levels)

    def budget(self, price: float, reach: float, pixels: int) -> Budget:
        """The budget on a model.

        Args:
            price: r(0)/‖x − x_t‖, the median over pairs.
            reach: ‖x − x_t‖, the median over pairs.
            pixels: C·H·W. An L∞ ball has the radius that makes its corners as far as the L2 ball reaches.

        Example:
            >>> QUICK[0].budget(price=2.0, reach=1.0, pixels=4).grid().values[-1]
            tensor(16.)
        """
        if self.prices:
            return Penalty(tuple(share * price for share in self.prices))
        if self.levels:
            return MinimumNorm(self.levels)
        if self.norm == "linf":
            reach = reach / pixels**0.5
        return Ball(tuple(share * reach for share in self.radii), self.norm, self.restarts)  # type: ignore[arg-type]


QUICK = (
    Entry("latent-kl", Latent("kl"), Continuation(50), PRICES),
    Entry("latent-w2", Latent("w2"), Continuation(50), STEEP[:4:2]),
    Entry("latent-means", Latent("l2-means"), Continuation(50), STEEP[1::2]),
    Entry("output", Output("l2"), Continuation(50), STEEP),
    Entry("smallest-norm", Output("l2"), Shrinking(400, rounds=1), levels=(0.5,)),
    Entry("damage-l2", Damage(), Cold(100), radii=RADII[1:], restarts=3),
    Entry("damage-linf", Damage(), Cold(50), radii=RADII[1:3], norm="linf"),
)
"""About a minute for 10 pairs of 64×64 on a laptop."""

FINE = tuple(2.0 ** (power / 2) for power in range(-16, 10))

FULL = (
    Entry("latent-kl", Latent("kl"), Continuation(400, passes=3), FINE),
    Entry("latent-w2", Latent("w2"), Continuation(400, passes=3), FINE),
    Entry("latent-means", Latent("l2-means"), Continuation(400, passes=3), FINE),
    Entry("output", Output("l2"), Continuation(400, passes=3), FINE),
    Entry("smallest-norm", Output("l2"), Shrinking(), levels=(0.25, 0.5, 0.75)),
    Entry("output-elbo", Output(), Continuation(400), PRICES),
    Entry("damage-l2", Damage(), Cold(200), radii=RADII, restarts=5),
    Entry("damage-linf", Damage(), Cold(200), radii=RADII, norm="linf", restarts=5),
    Entry("damage-skl", Damage("skl"), Cold(200), radii=RADII, restarts=5),
)
"""Half an hour and more."""

SMOKE = (
    Entry("latent-kl", Latent("kl"), Continuation(10), (0.125, 1.0)),
    Entry("output", Output("l2"), Continuation(10), (0.125, 1.0)),
    Entry("damage-l2", Damage(), Cold(10), radii=RADII[2:]),
)
"""That everything works: too weak to mean anything."""

SIGNS = (
    Entry("latent-kl", Latent("kl"), Continuation(1)),
    Entry("latent-means", Latent("l2-means"), Continuation(1)),
    Entry("output", Output("l2"), Continuation(1)),
)
"""No attack at all: the flags that need none, in seconds."""

SUITES = {"quick": QUICK, "full": FULL, "signs": SIGNS, "smoke": SMOKE}


def most_iterations(entries: Iterable[Entry]) -> int:
    """Of the continuations of a suite.

    Example:
        >>> most_iterations(QUICK)
        50
    """
    solvers = [entry.solver for entry in entries]
    return max(solver.max_iterations for solver in solvers if isinstance(solver, Continuation))


CHECKS = ("latent-kl", "output", "damage-l2")
"""Attacks that are made once more with more of everything, to see whether they were at their end."""


def more_of(entry: Entry) -> Entry:
    """The same attack with twice the iterations, a pass or two starts more, at a few prices or radii.

    Example:
        >>> more_of(QUICK[0]).solver
        Continuation(max_iterations=100, passes=3)
    """
    solver = entry.solver
    assert isinstance(solver, Continuation | Cold)
    solver = replace(solver, max_iterations=2 * solver.max_iterations)
    if isinstance(solver, Continuation):
        solver = replace(solver, passes=solver.passes + 1)
    prices = tuple(price for price in entry.prices if price in (1.0, 2.0, 4.0))
    return replace(entry, solver=solver, prices=prices, radii=entry.radii[-2:-1], restarts=entry.restarts + 1)


def suite_of(name: str) -> tuple[Entry, ...]:
    """The table of a suite.

    Raises:
        InputError: there is no such suite.

    Example:
        >>> [entry.name for entry in suite_of("quick")]
        ['latent-kl', 'latent-w2', 'latent-means', 'output', 'smallest-norm', 'damage-l2', 'damage-linf']
    """
    check_choice("suite", name, tuple(SUITES))
    return SUITES[name]
