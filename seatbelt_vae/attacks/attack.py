"""The attack: mode × divergence × penalties λ × solver, over all pairs in one call."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.attacks.damage import PosteriorDamage, ReconstructionDamage
from seatbelt_vae.attacks.divergences import L2_SAMPLES, Divergence, find_divergence
from seatbelt_vae.attacks.evaluation import fast_copy
from seatbelt_vae.attacks.ingredients import check_images, check_lambdas, draw_per_pair, place
from seatbelt_vae.attacks.latent import LatentObjective, Layers, choose_layers
from seatbelt_vae.attacks.output import OutputDistance, OutputObjective
from seatbelt_vae.attacks.protocol import Attackable, as_normal, frozen
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import Norm, PathSolution, Penalty, solve, solve_ball

DIVERGENCE = {"latent": "kl", "output": "elbo", "damage": "reconstruction"}
"""The modes, and what each minimises unless told otherwise."""
OUTPUT_SAMPLES = 4
CPU_CHUNK = 64  # images that stay in a core's cache through a convolutional encoder


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
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
    max_iterations: int | None = None,
    chunk: int | None = None,
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
        model: anything with ``encode`` and ``decode``, see :class:`~seatbelt_vae.attacks.protocol.Attackable`. A copy
            of it is attacked, in evaluation mode.
        source: x, (P, C, H, W), floats inside the bounds.
        target: x_t, likewise; None in a damage attack.
        mode: ``latent``, ``output`` or ``damage``.
        divergence: latent: ``kl`` (default), ``reverse-kl``, ``skl``, ``w2``, ``l2-means``, ``l2-samples`` or a
            function (q, t) -> (B,). Output: ``elbo`` (default; ``kl`` means the same) or ``l2``. Damage:
            ``reconstruction`` (default) or one of the latent ones.
        layers: of posteriors compared: ``all``, ``bottom``, ``top`` or indices from 0 (the bottom); None for those that
            the decoder sees.
        lambdas: ``paper`` for 0 and 50 powers of two in 2^±20, or values ≥ 0.
        solver: ``path`` (waves over λ with warm starts, every λ profiting from all others), ``cold`` (the
            paper's protocol, every λ by itself, batched), ``scipy`` (the same, one at a time by L-BFGS-B) or ``adam``.
        penalty: ``norm`` for λ‖d‖, ``squared`` for λ‖d‖².
        radii: budgets ε > 0 in the place of penalties; the result's ``lambdas`` then holds them.
        ball: ``l2`` or ``linf``, the norm of the budget.
        restarts: starting points per pair and radius, the first at the source, the others random.
        samples: sets of common random numbers, drawn once per pair, along which encodings are sampled; 0 follows the
            means. None: 0 for latent attacks, 4 for output attacks on the ELBO.
        seed: of the starting points and of the random numbers; a pair's do not depend on other pairs.
        bounds: of the data: (0, 1) or (-1, 1).
        max_iterations: of one solve; None for the solver's own (300 in ``path``, 1000 in ``cold`` and balls, 15 000 in
            ``scipy``).
        chunk: images per evaluation; None for 64 on a CPU and for all at once elsewhere.
        progress: show a bar on stderr.

    Returns:
        Adversarial images and what they cost, for all pairs and λ (or ε) ascending.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; a negative λ; an unknown name.

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
    if mode not in DIVERGENCE:
        raise InputError(f"mode {mode!r}: must be one of {', '.join(DIVERGENCE)}")
    if mode == "damage" and radii is None:
        raise InputError("radii: a damage attack needs the budgets of distortion, such as radii=[1.0, 2.0]")
    if target is None and mode != "damage":
        raise InputError(f"target: a {mode} attack needs target images")
    grid = check_lambdas(lambdas if radii is None else radii)
    source = place(model, source)
    target = source if target is None else place(model, target)
    check_images(source, target, bounds)
    fast = fast_copy(model)
    with frozen(fast):
        with torch.no_grad():
            shapes = [as_normal(q).loc.shape[1:] for q in fast.encode(source[:1])]
        chosen = choose_layers(layers, len(shapes), getattr(model, "decoder_sees", "all"))
        samples = default_samples(mode, divergence) if samples is None else samples
        start, noise = draw_per_pair(source, shapes, samples, seed)
        smooth = objective(mode, divergence, fast, source, target, chosen, noise)
        low, high = bounds[0] - source.flatten(1), bounds[1] - source.flatten(1)
        chunk = CPU_CHUNK if chunk is None and source.device.type == "cpu" else chunk
        options: dict[str, Any] = {"chunk": chunk, "progress": progress}
        if max_iterations is not None:
            options["max_iterations"] = max_iterations
        start = start.clamp(low, high)
        if radii is None:
            solution = solve(solver, smooth, start, grid.to(source), low, high, penalty=penalty, **options)
        else:
            options |= {"norm": ball, "restarts": restarts, "seed": seed}
            solution = solve_ball(smooth, start, grid, low, high, **options)
    settings = {
        "mode": mode,
        "divergence": named(divergence, mode),
        "layers": list(chosen) if mode == "latent" else None,
        "solver": solver if radii is None else "ball",
        "penalty": penalty if radii is None else None,
        "ball": None if radii is None else ball,
        "restarts": restarts,
        "samples": samples,
        "seed": seed,
        "bounds": list(bounds),
        "max_iterations": max_iterations,
    }
    return collect(solution, source, target, grid, bounds, settings)


def objective(
    mode: str,
    divergence: str | Divergence | None,
    model: Attackable,
    source: Tensor,
    target: Tensor,
    layers: tuple[int, ...],
    noise: list[Tensor] | None,
) -> Callable[[Tensor, Tensor], Tensor]:
    """The smooth part r of an attack, ``r(d, pairs) -> values``.

    Raises:
        InputError: a divergence that the mode does not have.
    """
    name = DIVERGENCE[mode] if divergence is None else divergence
    if mode == "latent":
        return LatentObjective(model, source, target, find_divergence(name), layers, noise, name == L2_SAMPLES)
    if mode == "damage":
        if name == "reconstruction":
            return ReconstructionDamage(model, source)
        return PosteriorDamage(model, source, find_divergence(name), layers)
    if name in ("elbo", "kl"):
        return OutputObjective(model, source, target, noise)
    if name == "l2":
        return OutputDistance(model, source, target, noise)
    raise InputError(f"divergence {named(name, mode)!r}: an output attack has elbo and l2")


def default_samples(mode: str, divergence: str | Divergence | None) -> int:
    """Sets of random numbers that an attack follows unless told otherwise.

    Example:
        >>> default_samples("latent", "kl"), default_samples("latent", "l2-samples"), default_samples("output", None)
        (0, 1, 4)
    """
    if mode == "output":
        return 0 if divergence == "l2" else OUTPUT_SAMPLES
    return int(divergence == L2_SAMPLES)


def named(divergence: str | Divergence | None, mode: str) -> str:
    """A divergence's name, that of its function where it is the user's own.

    Example:
        >>> named(None, "output"), named(max, "latent")
        ('elbo', 'max')
    """
    if divergence is None or (mode == "output" and divergence == "kl"):
        return DIVERGENCE[mode]
    return divergence if isinstance(divergence, str) else str(getattr(divergence, "__name__", "custom"))


def collect(
    solution: PathSolution,
    source: Tensor,
    target: Tensor,
    lambdas: Tensor,
    bounds: tuple[float, float],
    settings: dict[str, Any],
) -> AttackResult:
    """An :class:`AttackResult` on the CPU from a solution in distortions."""
    d = solution.x.view(*solution.x.shape[:2], *source.shape[1:])
    adversarial = (source[:, None] + d).clamp(*bounds)
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
