"""Downstream attacks: make a classifier on the latents read another class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation.memory import within
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.protocol import Attackable, distorted, posteriors
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.metrics.downstream import Readout
from seatbelt_vae.optim import solve_ball
from seatbelt_vae.optim.problem import Objective


@dataclass(frozen=True, eq=False)
class Misread(AttackObjective):
    """The margin by which the label is read right from the means of the top layer of x + d.

    Args:
        readout: the classifier.
        labels: of the images, (P,).
    """

    name: ClassVar[str] = "misread"
    targeted: ClassVar[bool] = False
    readout: Readout
    labels: Tensor

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> Objective:
        """The margin as a function of d."""

        def margin(d: Tensor, pairs: Tensor) -> Tensor:
            return self.readout.margin(codes_of(model, distorted(source, d, pairs)), self.labels.to(pairs)[pairs])

        return margin


def codes_of(model: Attackable, images: Tensor) -> Tensor:
    """The means of the top layer of images (B, C, H, W), flattened, (B, D)."""
    return posteriors(model, images)[-1].loc.flatten(1)


def downstream_accuracy(
    model: Attackable,
    readout: Readout,
    images: Tensor,
    labels: Tensor,
    radii: Sequence[float],
    *,
    max_iterations: int = 100,
    restarts: int = 1,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
    memory: float = 2**30,
) -> Tensor:
    r"""Accuracy of a classifier on the latents when every image is attacked: higher is more robust. No unit.

    .. math:: \frac1N \sum_i \Big[\min_{\|d\|_2 \le \varepsilon} \text{margin}(\mu(x_i + d), y_i) > 0\Big]

    Args:
        model: anything attackable; its top layer is read.
        readout: from :func:`seatbelt_vae.metrics.fit_readout`, fitted to codes of other images.
        images: x, (N, C, H, W).
        labels: y, integers, (N,).
        radii: ε > 0, (K,).
        max_iterations: steps of an attack.
        restarts: starting points of it.
        bounds: of the data.
        seed: of the starting points.
        memory: bytes that evaluations and the solver's own tensors may take.

    Returns:
        Share of images read right at ε = 0 and at each radius, (1 + K,), float64.

    Raises:
        InputError: images or labels that do not fit, a radius that is not above 0.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 28, 28), latent_sizes=(2,), network="mlp").eval()
        >>> readout = Readout(torch.eye(2), torch.zeros(2), torch.tensor([0, 1]))
        >>> x = torch.rand(3, 1, 28, 28)
        >>> downstream_accuracy(model, readout, x, torch.tensor([0, 1, 1]), [1.0], max_iterations=2).shape
        torch.Size([2])
    """
    setup = prepare(model, images, None, Misread(readout, labels), seed=seed, bounds=bounds)
    problem, left = within(setup.problem, memory)
    nowhere = torch.zeros_like(problem.x0)
    with torch.no_grad():
        pairs = torch.arange(len(nowhere), device=nowhere.device)
        size = problem.chunk or len(pairs)
        clean = torch.cat([problem.fun(nowhere[part], part) for part in pairs.split(size)])
    found = solve_ball(problem, radii, restarts=restarts, seed=seed, max_iterations=max_iterations, memory_budget=left)
    margins = torch.cat([clean[:, None].double(), found.discrepancy], dim=1)
    return (margins > 0).double().mean(0).cpu()
