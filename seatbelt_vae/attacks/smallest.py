"""The smallest distortion that reaches a level of success, or of r."""

from dataclasses import replace

from seatbelt_vae.attacks.budget import MinimumNorm
from seatbelt_vae.attacks.solvers import Run, Solver
from seatbelt_vae.optim import PathSolution, Problem
from seatbelt_vae.optim.levels import values

MARGIN = 1e-5
"""Of success that is asked for beyond the level: to reach it whatever the size of the batch it is measured in."""


def smallest(
    problem: Problem,
    constraint: Problem,
    budget: MinimumNorm,
    solver: Solver,
    run: Run,
) -> PathSolution:
    """Minimise ‖d‖ for every pair and level.

    Args:
        problem: r of the attack's objective.
        constraint: what is missing to success; r itself where the levels are of r.
        budget: the levels.
        solver: what minimises.
        run: what the solve may use.

    Returns:
        The distortions; `objective` and `distortion` are ‖d‖, `discrepancy` is r(d).
    """
    levels = budget.grid().values.double()
    limits = levels
    if budget.level == "success":
        limits = 1 - levels - MARGIN
    limits = limits.expand(len(problem.x0), -1)
    found = solver.smallest(constraint, limits, run)
    return replace(found, discrepancy=values(problem, found.x))
