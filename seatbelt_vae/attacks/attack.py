"""The attack: mode × divergence × penalties λ × solver, over all pairs in one call."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks.divergences import Divergence
from seatbelt_vae.attacks.ingredients import check_lambdas
from seatbelt_vae.attacks.latent import Layers
from seatbelt_vae.attacks.memory import images_per_call, shares
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.attacks.setup import named, prepare
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import SOLVERS, Norm, PathSolution, Penalty, solve, solve_ball


def attack(
    model: Attackable,
    source: Tensor,
    target: Tensor | None = None,
    *,
    mode: str = "latent",
    divergence: str | Divergence | None = None,
    layers: Layers = None,
    lambdas: str | Tensor | Sequence[float] = "paper",
    solver: str = "path",
    penalty: Penalty = "norm",
    radii: Tensor | Sequence[float] | None = None,
    ball: Norm = "l2",
    restarts: int = 1,
    samples: int | None = None,
    target_noise: str = "same",
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
    max_iterations: int | None = None,
    waves: int | None = None,
    chunk: int | None = None,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> AttackResult:
    r"""Find distortions that make a model take each source for its target.

    .. math:: \min_d \; \Delta(d) = r(d) + \lambda \|d\|_2, \qquad \text{lo} \le x + d \le \text{hi}

    for every pair and every λ; or, where `radii` are given, r(d) alone inside each ball ‖d‖ ≤ ε.

    - ``latent``: r is the divergence of the posterior of x + d from that of x_t
      (:class:`~seatbelt_vae.attacks.latent.LatentObjective`).
    - ``output``: r is the negative ELBO of x_t under the posterior of x + d
      (:class:`~seatbelt_vae.attacks.output.OutputObjective`), or the squared distance of its reconstruction from x_t.
    - ``damage``: no target, -r is how far the reconstruction or the posterior is moved away from that of x
      (:mod:`~seatbelt_vae.attacks.damage`); needs `radii`.

    Args:
        model: anything with ``encode`` and ``decode``, see :class:`~seatbelt_vae.attacks.protocol.Attackable`. Of an
            ``nn.Module`` a copy is attacked, in evaluation mode; whatever else has to be in that mode itself.
        source: x, (P, C, H, W), floats inside the bounds.
        target: x_t, likewise; None in a damage attack.
        mode: ``latent``, ``output`` or ``damage``.
        divergence: latent: ``kl`` (default), ``reverse-kl``, ``skl``, ``w2``, ``l2-means``, ``l2-samples`` or a
            function (q, t) -> (B,). Output: ``elbo`` (default; ``kl`` means the same) or ``l2``. Damage:
            ``reconstruction`` (default) or one of the latent ones.
        layers: of posteriors compared: ``all``, ``bottom``, ``top`` or indices from 0 (the bottom); None for those that
            the decoder sees.
        lambdas: ``paper`` for 0 and 50 powers of two in 2^±20, or values ≥ 0.
        solver: ``path`` (walks over λ with warm starts, every λ profiting from all others; at large λ the kinks of
            ReLU modules are rounded off first), ``cold`` (the paper's protocol, every λ by itself, batched), ``scipy``
            (the same, one at a time by L-BFGS-B) or ``adam``.
        penalty: ``norm`` for λ‖d‖, ``squared`` for λ‖d‖².
        radii: budgets ε > 0 in the place of penalties; the result's ``lambdas`` then holds them.
        ball: ``l2`` or ``linf``, the norm of the budget.
        restarts: starting points per pair and radius, the first next to the source, the others random.
        samples: sets of common random numbers, drawn once per pair, along which encodings are sampled; 0 follows the
            means. None: 0 for latent attacks, 4 for output attacks on the ELBO.
        target_noise: of a latent attack that follows samples: ``same``, the target's encodings are sampled with the
            source's noise, or ``own``, with another, which no distortion can undo: Δ of a hierarchy then has a floor
            that is no robustness. It is here to be recognised, not to be used.
        seed: of the starting points and of the random numbers; a pair's do not depend on other pairs.
        bounds: of the data: (0, 1) or (-1, 1).
        max_iterations: of one solve; None for the solver's own (1000 in ``path``, ``cold`` and balls, 15 000 in
            ``scipy``).
        waves: walks over λ of ``path``, down and up in turn, at least and by default 2. With 3 it finds lower values
            where λ is small, for 1.5 times the evaluations.
        chunk: rows per evaluation; None for as many as suit the images' size on a CPU and as half of the memory
            budget holds.
        memory_budget: bytes that evaluations and the solver's own tensors may take, besides the images and a copy of
            the model; pairs beyond it wait for their turn. ``scipy`` and ``adam`` heed it in evaluations only. On a
            GPU a larger budget is faster.
        progress: show a bar on stderr.

    Returns:
        Adversarial images and what they cost, for all pairs and λ (or ε) ascending.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; a negative λ; an unknown name; a model that is
            random, or mixes the images of a batch.

    References:
        Willetts et al. 2020, equations 11 and 12; Tabacof et al. 2016; Gondim-Ribeiro et al. 2018; Camuto et al. 2021.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> _ = torch.manual_seed(0)
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> source, target = torch.rand(2, 1, 28, 28), torch.rand(2, 1, 28, 28)
        >>> result = attack(model, source, target, lambdas=[0.0, 1.0], max_iterations=20)
        >>> result.adversarial.shape, bool((result.discrepancy[:, 0] <= result.discrepancy[:, 1]).all())
        (torch.Size([2, 2, 1, 28, 28]), True)
    """
    if mode == "damage" and radii is None:
        raise InputError("radii: a damage attack needs the budgets of distortion, such as radii=[1.0, 2.0]")
    grid = check_lambdas(lambdas) if radii is None else check_lambdas(radii, "radii")
    if solver not in SOLVERS:
        raise InputError(f"solver {solver!r}: must be one of {', '.join(SOLVERS)}")
    for name, count in (("chunk", chunk), ("max_iterations", max_iterations)):
        if count is not None and count < 1:
            raise InputError(f"{name} {count}: must be 1 or more, or None")
    if torch.is_inference_mode_enabled():
        raise InputError("attack: needs gradients, which torch.inference_mode() turns off; call it outside of that")
    setup = prepare(
        model,
        source,
        target,
        mode=mode,
        divergence=divergence,
        layers=layers,
        samples=samples,
        target_noise=target_noise,
        seed=seed,
        bounds=bounds,
    )
    source, target, low, high = setup.source, setup.target, setup.lower, setup.upper
    if chunk is None:
        chunk = images_per_call(source, setup.samples)
        chunk, memory_budget = shares(setup.objective, setup.start, chunk, memory_budget, setup.rounded)
    options: dict[str, Any] = {"chunk": chunk, "progress": progress}
    if max_iterations is not None:
        options["max_iterations"] = max_iterations
    if waves is not None:
        if solver != "path" or radii is not None:
            raise InputError("waves: only the solver path walks over λ, leave it out")
        options["waves"] = waves
    if solver == "path" and radii is None:
        options["rounded"] = setup.rounded
    if solver not in ("scipy", "adam") or radii is not None:
        options["memory_budget"] = memory_budget
    if radii is None:
        solution = solve(solver, setup.objective, setup.start, grid.to(source), low, high, penalty=penalty, **options)
    else:
        options |= {"norm": ball, "restarts": restarts, "seed": seed}
        solution = solve_ball(setup.objective, setup.start, grid, low, high, **options)
    settings = {
        "mode": mode,
        "divergence": named(divergence, mode),
        "layers": list(setup.layers) if mode == "latent" else None,
        "solver": solver if radii is None else "ball",
        "penalty": penalty if radii is None else None,
        "ball": None if radii is None else ball,
        "restarts": restarts,
        "samples": setup.samples,
        "seed": seed,
        "bounds": list(bounds),
        "max_iterations": max_iterations,
        "waves": waves,
        **({} if target_noise == "same" else {"target_noise": target_noise}),
    }
    return collect(solution, source, target, grid, bounds, settings)


def collect(
    solution: PathSolution,
    source: Tensor,
    target: Tensor,
    lambdas: Tensor,
    bounds: tuple[float, float],
    settings: dict[str, Any],
) -> AttackResult:
    """An :class:`AttackResult` on the CPU from a solution in distortions, whose ``x`` is overwritten by the images."""
    d = solution.x.view(*solution.x.shape[:2], *source.shape[1:])
    adversarial = d.add_(source[:, None]).clamp_(*bounds)  # in place: nothing else is as large
    return AttackResult(
        source=source.cpu(),
        target=target.cpu(),
        adversarial=adversarial.cpu(),
        lambdas=lambdas.cpu(),
        objective=solution.objective.cpu(),
        discrepancy=solution.discrepancy.cpu(),
        distortion=solution.distortion.cpu(),
        status=solution.status.to(torch.int8).cpu(),
        evaluations=solution.evaluations.cpu(),
        settings=settings,
    )
