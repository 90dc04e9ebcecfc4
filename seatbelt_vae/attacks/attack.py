"""The attack: mode × divergence × penalties λ × solver, over all pairs in one call."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.divergences import L2_SAMPLES, Divergence, find_divergence
from seatbelt_vae.attacks.evaluation import fast_copy
from seatbelt_vae.attacks.latent import LatentObjective, Layers, choose_layers
from seatbelt_vae.attacks.output import OutputObjective
from seatbelt_vae.attacks.protocol import Attackable, as_normal, frozen
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import PathSolution, Penalty, solve

MODES = ("latent", "output")
START = 1e-8
OUTPUT_SAMPLES = 4
CPU_CHUNK = 64  # images that stay in a core's cache through a convolutional encoder


def paper_lambdas(count: int = 50, lowest: float = -20.0, highest: float = 20.0) -> Tensor:
    r"""The paper's penalties: 0 and 2^c for c in equal steps; 51 values from 0 to 2^20.

    Example:
        >>> paper_lambdas().shape, paper_lambdas()[[0, 1, -1]]
        (torch.Size([51]), tensor([0.0000e+00, 9.5367e-07, 1.0486e+06]))
    """
    return torch.cat([torch.zeros(1), 2.0 ** torch.linspace(lowest, highest, count)])


def attack(
    model: Attackable,
    source: Tensor,
    target: Tensor,
    *,
    mode: str = "latent",
    divergence: str | Divergence = "kl",
    layers: Layers = None,
    lambdas: str | Tensor | Sequence[float] = "paper",
    solver: str = "path",
    penalty: Penalty = "norm",
    samples: int | None = None,
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
    max_iterations: int = 1000,
    chunk: int | None = None,
    progress: bool = False,
) -> AttackResult:
    r"""Find distortions that make a model take each source for its target.

    .. math:: \min_d \; \Delta(d) = r(d) + \lambda \|d\|_2, \qquad \text{lo} \le x + d \le \text{hi}

    for every pair and every λ. ``latent``: r is the divergence between the posteriors of x + d and of x_t
    (:class:`~seatbelt_vae.attacks.latent.LatentObjective`). ``output``: r is the negative ELBO of x_t
    under the posterior of x + d (:class:`~seatbelt_vae.attacks.output.OutputObjective`).

    Args:
        model: anything with ``encode`` and ``decode``, see :class:`~seatbelt_vae.attacks.protocol.Attackable`. It is
            attacked in evaluation mode, and left as it was.
        source: x, (P, C, H, W), floats inside the bounds.
        target: x_t, likewise.
        mode: ``latent`` or ``output``.
        divergence: of the latent attack: ``kl``, ``reverse-kl``, ``skl``, ``w2``, ``l2-means``, ``l2-samples``, or a
            function (q, t) -> (B,).
        layers: of the latent attack: ``all``, ``bottom``, ``top`` or indices from 0 (the bottom); None for those that
            the decoder sees.
        lambdas: ``paper`` for 0 and 50 powers of two in 2^±20, or values ≥ 0.
        solver: ``path`` (λ from large to small with warm starts, envelope and polish: the strongest), ``cold`` (the
            paper's protocol, every λ by itself, batched), ``scipy`` (the same, one at a time by L-BFGS-B) or ``adam``.
        penalty: ``norm`` for λ‖d‖, ``squared`` for λ‖d‖².
        samples: sets of common random numbers, drawn once per pair, along which encodings are sampled; 0 follows the
            means. None: 0 for latent attacks, 4 for output attacks.
        seed: of the starting points d₀ ~ U(±1e-8) and of the random numbers; a pair's do not depend on other pairs.
        bounds: of the data: (0, 1) or (-1, 1).
        max_iterations: of one solve.
        chunk: images per evaluation; None for 64 on a CPU and for all at once elsewhere.
        progress: show a bar on stderr.

    Returns:
        Adversarial images and what they cost, for all pairs and λ ascending.

    Raises:
        InputError: images out of bounds, of wrong shape or not finite; a negative λ; an unknown name.

    References:
        Willetts et al. 2020, equations 11 and 12; Tabacof et al. 2016; Gondim-Ribeiro et al. 2018.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> _ = torch.manual_seed(0)
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> source, target = torch.rand(2, 1, 28, 28), torch.rand(2, 1, 28, 28)
        >>> result = attack(model, source, target, lambdas=[0.0, 1.0], max_iterations=20)
        >>> result.adversarial.shape, bool((result.discrepancy[:, 0] <= result.discrepancy[:, 1]).all())
        (torch.Size([2, 2, 1, 28, 28]), True)
    """
    grid = check_lambdas(lambdas)
    if mode not in MODES:
        raise InputError(f"mode {mode!r}: must be one of {', '.join(MODES)}")
    source, target = place(model, source), place(model, target)
    check_images(source, target, bounds)
    fast = fast_copy(model)
    with frozen(fast):
        with torch.no_grad():
            shapes = [as_normal(q).loc.shape[1:] for q in fast.encode(source[:1])]
        chosen = choose_layers(layers, len(shapes), getattr(model, "decoder_sees", "all"))
        if samples is None:
            samples = OUTPUT_SAMPLES if mode == "output" else int(divergence == L2_SAMPLES)
        start, noise = draw_per_pair(source, shapes, samples, seed)
        smooth: LatentObjective | OutputObjective
        if mode == "latent":
            r = find_divergence(divergence)
            smooth = LatentObjective(fast, source, target, r, chosen, noise, divergence == L2_SAMPLES)
        else:
            smooth = OutputObjective(fast, source, target, noise)
        flat = source.flatten(1)
        solution = solve(
            solver,
            smooth,
            start.clamp(bounds[0] - flat, bounds[1] - flat),
            grid.to(source),
            bounds[0] - flat,
            bounds[1] - flat,
            penalty=penalty,
            max_iterations=max_iterations,
            chunk=CPU_CHUNK if chunk is None and source.device.type == "cpu" else chunk,
            progress=progress,
        )
    settings = {
        "mode": mode,
        "divergence": divergence if isinstance(divergence, str) else getattr(divergence, "__name__", "custom"),
        "layers": list(chosen) if mode == "latent" else None,
        "solver": solver,
        "penalty": penalty,
        "samples": samples,
        "seed": seed,
        "bounds": list(bounds),
        "max_iterations": max_iterations,
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


def check_lambdas(lambdas: str | Tensor | Sequence[float]) -> Tensor:
    """The penalties as an ascending tensor, (K,).

    Raises:
        InputError: an unknown name, none at all, one that is negative or not finite.

    Example:
        >>> check_lambdas([4.0, 0.0, 1.0])
        tensor([0., 1., 4.])
    """
    if isinstance(lambdas, str):
        if lambdas != "paper":
            raise InputError(f"lambdas {lambdas!r}: must be 'paper' or numbers >= 0")
        return paper_lambdas()
    grid = torch.as_tensor(lambdas, dtype=torch.get_default_dtype()).flatten()
    if len(grid) == 0 or not bool(torch.isfinite(grid).all()) or bool((grid < 0).any()):
        raise InputError(f"lambdas {grid.tolist()}: must be one or more finite numbers, zero or more each")
    return grid.unique(sorted=True)


def check_images(source: Tensor, target: Tensor, bounds: tuple[float, float]) -> None:
    """Refuse images that the bounded problem cannot start from.

    Raises:
        InputError: shapes differ or are not (P, C, H, W), no pair, a NaN, a value out of bounds.

    Example:
        >>> check_images(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8), (0.0, 1.0))
    """
    if source.shape != target.shape or source.dim() != 4 or len(source) == 0:
        shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
        raise InputError(f"source and target: must both be (pairs, C, H, W) with a pair at least, got {shapes}")
    if not bounds[0] < bounds[1]:
        raise InputError(f"bounds {bounds}: the lower must be below the upper")
    for name, images in (("source", source), ("target", target)):
        if not bool(torch.isfinite(images).all()):
            raise InputError(f"{name}: holds NaN or infinite pixels; every pixel must be in {list(bounds)}")
        low, high = images.min().item(), images.max().item()
        if low < bounds[0] or high > bounds[1]:
            raise InputError(f"{name}: pixels from {low:g} to {high:g} are outside of bounds {list(bounds)}")


def place(model: Attackable, images: Tensor) -> Tensor:
    """Images on the model's device and in its dtype; uint8 is refused, as its scale is anyone's guess.

    Raises:
        InputError: not floating point.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> place(vae((1, 28, 28), network="mlp"), torch.zeros(1, 1, 28, 28, dtype=torch.float64)).dtype
        torch.float32
    """
    if not images.is_floating_point():
        raise InputError(f"images of dtype {images.dtype}: must be floating point; divide 8-bit images by 255")
    parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return images.detach() if parameter is None else images.detach().to(parameter)


def draw_per_pair(
    source: Tensor, shapes: Sequence[torch.Size], samples: int, seed: int
) -> tuple[Tensor, list[Tensor] | None]:
    """Starting points U(±1e-8), (P, n), and `samples` sets of normal noise per layer, (P, S, …); pair by pair.

    Raises:
        InputError: a negative number of samples.

    Example:
        >>> start, noise = draw_per_pair(torch.zeros(3, 1, 2, 2), [torch.Size([5])], samples=2, seed=0)
        >>> start.shape, noise[0].shape
        (torch.Size([3, 4]), torch.Size([3, 2, 5]))
    """
    if samples < 0:
        raise InputError(f"samples {samples}: must be zero (follow the means) or more")
    starts, noises = [], []
    for pair in range(len(source)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + pair)
        starts.append(START * (2 * torch.rand(source[0].numel(), generator=generator) - 1))
        noises.append([torch.randn(samples, *shape, generator=generator) for shape in shapes])
    noise = [torch.stack(layer).to(source) for layer in zip(*noises, strict=True)] if samples else None
    return torch.stack(starts).to(source), noise
