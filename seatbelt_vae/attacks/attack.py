"""The attack: an objective, a budget and a solver, over all pairs in one call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks.budget import BUDGETS, Budget, MinimumNorm, Penalty
from seatbelt_vae.attacks.evaluation.memory import within
from seatbelt_vae.attacks.latent import Latent
from seatbelt_vae.attacks.objectives import OBJECTIVES
from seatbelt_vae.attacks.part import AttackObjective, Part
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.attacks.setup import Setup, prepare
from seatbelt_vae.attacks.smallest import smallest
from seatbelt_vae.attacks.solvers import SOLVERS, Run, Solver, default_solver
from seatbelt_vae.attacks.success import Missing
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import PathSolution, Problem
from seatbelt_vae.optim.penalty import Family, size

NOTHING = 1e-6, 1e-3
"""What of r is taken for 0: this share of r(0), and so many nats at most."""


def attack(
    model: Attackable,
    source: Tensor,
    target: Tensor | None = None,
    objective: AttackObjective = Latent(),  # noqa: B008
    budget: Budget = Penalty(),  # noqa: B008
    solver: Solver | None = None,
    *,
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
    memory: float = 2**30,
    progress: bool = False,
) -> AttackResult:
    r"""Find distortions that make a model take each source for its target.

    .. math:: \min_d \; \Delta(d) = r(d) + \lambda \|d\|_2, \qquad \text{lo} \le x + d \le \text{hi}

    for every pair and every λ of a `Penalty`; r(d) alone inside each limit ‖d‖ ≤ ε of a `Ball`; or the smallest ‖d‖
    that reaches each level of a `MinimumNorm`.

    Args:
        model: anything with ``encode`` and ``decode``, see :class:`~seatbelt_vae.attacks.protocol.Attackable`. Of an
            ``nn.Module`` a copy is attacked, in evaluation mode; whatever else has to be in that mode itself.
        source: x, (P, C, H, W), floats inside the bounds.
        target: x_t, likewise; None for `Damage`.
        objective: r: `Latent`, `Output` or `Damage`, each with settings of its own.
        budget: `Penalty`, `Ball` or `MinimumNorm`. Damage needs a ball, or the smallest norm of a discrepancy.
        solver: of a penalty `Continuation` (which None stands for), `Cold`, `Scipy` or `Adam`; in a ball `Cold`; of
            smallest norms `Shrinking` (None), `DDN` or `FMN`.
        seed: of the starting points and of the random numbers; a pair's do not depend on other pairs.
        bounds: of the data: (0, 1) or (-1, 1).
        memory: bytes that evaluations and the solver's own tensors may take, besides the images and a copy of the
            model; pairs beyond it wait for their turn. `Scipy` and `Adam` heed it in evaluations only. On a GPU more
            is faster.
        progress: show a bar on stderr.

    Returns:
        Adversarial images and what they cost, for all pairs and λ, ε or levels ascending.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; parts that do not go together; a model that is
            random, or mixes the images of a batch.

    References:
        Willetts et al. 2020, equations 11 and 12; Tabacof et al. 2016; Gondim-Ribeiro et al. 2018; Camuto et al. 2021.

    Example:
        >>> from seatbelt_vae.attacks import Cold
        >>> from seatbelt_vae.models import vae
        >>> _ = torch.manual_seed(0)
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> source, target = torch.rand(2, 1, 28, 28), torch.rand(2, 1, 28, 28)
        >>> result = attack(model, source, target, Latent("w2"), Penalty([0.0, 1.0]), Cold(max_iterations=20))
        >>> result.adversarial.shape, bool((result.discrepancy[:, 0] <= result.discrepancy[:, 1]).all())
        (torch.Size([2, 2, 1, 28, 28]), True)
    """
    if solver is None:
        solver = default_solver(budget)
    check_parts(objective, budget, solver)
    if torch.is_inference_mode_enabled():
        raise InputError("attack: needs gradients, which torch.inference_mode() turns off; call it outside of that")
    setup = prepare(model, source, target, objective, seed=seed, bounds=bounds)
    problem, left = within(setup.problem, memory)
    run = Run(seed, left, progress)
    if isinstance(budget, MinimumNorm):
        constraint = problem
        if budget.level == "success":
            constraint, _ = within(prepare(model, source, target, Missing(), seed=seed, bounds=bounds).problem, memory)
        solution = smallest(problem, constraint, budget, solver, run)
    else:
        solution = solver.solve(problem, budget, run)
    settings = {
        "objective": setup.objective.settings(),
        "budget": budget.settings(),
        "solver": solver.settings(),
        "seed": seed,
        "bounds": list(bounds),
        "smoothed": solver.smooths and problem.smoothed is not None,
    }
    result = collect(solution, setup, budget, bounds, settings)
    return replace(result, bound=bound(problem, budget))


def bound(problem: Problem, budget: Budget) -> Tensor | None:
    r"""What no answer may exceed, (P, K): x_t − x is feasible, so Δ(λ) ≤ r(x_t − x) + λ‖x_t − x‖.

    What is taken for `NOTHING` is added. None without a target, and in a ball.
    """
    if problem.anchor is None or not isinstance(budget, Penalty):
        return None
    family = Family.of(problem, budget.grid().values, budget.squared)
    pairs = torch.arange(len(problem.x0), device=problem.x0.device)
    share, most = NOTHING
    nothing = share * family.discrepancy(torch.zeros_like(problem.x0), pairs).abs()
    r = family.discrepancy(problem.anchor, pairs) + nothing.clamp(max=most)
    charge = family.lambdas * size(problem.anchor, budget.squared)[:, None]
    return (r[:, None] + charge).cpu()


def check_parts(objective: AttackObjective, budget: Budget, solver: Solver) -> None:
    """Refuse parts that do not go together.

    Raises:
        InputError: one is not what it should be, damage with a penalty or with success, a solver of other budgets.
    """
    _check_kind("objective", objective, AttackObjective, OBJECTIVES)
    _check_kind("budget", budget, Budget, BUDGETS)
    _check_kind("solver", solver, Solver, SOLVERS)
    if not objective.targeted and isinstance(budget, Penalty):
        raise InputError(f"budget penalty: {objective.name} needs limits of distortion, such as Ball([1.0, 2.0])")
    if not objective.targeted and getattr(budget, "level", "") == "success":
        raise InputError(f"budget minimum-norm: {objective.name} has no success, give a discrepancy such as -2.0")
    if budget.name not in solver.budgets:
        own = type(default_solver(budget)).__name__
        raise InputError(f"solver {solver.name}: cannot keep to a {budget.name}, use {own}() or leave it out")


def _check_kind(name: str, part: object, kind: type[Part], known: Mapping[str, type[Part]]) -> None:
    if isinstance(part, kind):
        return
    classes = ", ".join(each.__name__ for each in known.values())
    raise InputError(f"{name} {part!r}: must be one of {classes}")


def collect(
    solution: PathSolution,
    setup: Setup,
    budget: Budget,
    bounds: tuple[float, float],
    settings: dict[str, Any],
) -> AttackResult:
    """An :class:`AttackResult` on the CPU from a solution in distortions, whose ``x`` is overwritten by the images."""
    source = setup.source
    d = solution.x.view(*solution.x.shape[:2], *source.shape[1:])
    adversarial = d.add_(source[:, None]).clamp_(*bounds)  # in place: nothing else is as large
    return AttackResult(
        source=source.cpu(),
        target=setup.target.cpu(),
        adversarial=adversarial.cpu(),
        budget=budget.grid(),
        objective=solution.objective.cpu(),
        discrepancy=solution.discrepancy.cpu(),
        distortion=solution.distortion.cpu(),
        status=solution.status.to(torch.int8).cpu(),
        evaluations=solution.evaluations.cpu(),
        settings=settings,
    )
