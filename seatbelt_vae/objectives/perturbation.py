r"""Perturbations inside a ball and inside the image bounds: random ones, and the worst that a few steps find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.models.modes import evaluating

Target = Literal["untargeted-latent", "reconstruction", "targeted"]
Distance = Callable[[Tensor], Tensor]
FILLING = 4
"""Passes that share out the length which the bounds cut off; the rest is below a percent."""


@dataclass(frozen=True)
class Ball:
    """The images within an L2 distance of given ones, and within the bounds of the data.

    Args:
        centre: x, (B, C, H, W).
        radius: largest ‖d‖, un-squared L2 over the whole image.
        bounds: of the pixels.

    Raises:
        InputError: the radius is longer than the diagonal of the bounds, or a posterior is no Gaussian.
    """

    centre: Tensor
    radius: float
    bounds: tuple[float, float]

    def __post_init__(self) -> None:
        low, high = self.bounds
        diagonal = (high - low) * self.centre[0].numel() ** 0.5
        if self.radius > diagonal:
            raise InputError(f"radius {self.radius:g}: is more than any two images differ, use at most {diagonal:.3g}")

    def around(self, count: int, radius: float) -> Self:
        """The ball around the first images alone, with another radius."""
        return replace(self, centre=self.centre[:count], radius=radius)

    def farthest(self, direction: Tensor) -> Tensor:
        r"""The image of the ball that is farthest in a direction (B, C, H, W).

        .. math:: \arg\max_{x'} \langle g, x' \rangle, \qquad x' - x = \operatorname{clip}(t g)

        with t such that ‖x' - x‖ is the radius, where the bounds leave room for that.

        Example:
            >>> ball = Ball(torch.tensor([[[[0.5, 1.0]]]]), 0.25, (0.0, 1.0))
            >>> ball.farthest(torch.tensor([[[[1.0, 7.0]]]]))
            tensor([[[[0.7500, 1.0000]]]])
        """
        x, g = self.centre.flatten(1), direction.flatten(1)
        lower, upper = self.bounds[0] - x, self.bounds[1] - x
        g = g / norm(g).clamp(min=torch.finfo(g.dtype).tiny)
        free = torch.where(g > 0, upper > 0, lower < 0)
        d = torch.zeros_like(x)
        for _ in range(FILLING):
            fixed = norm(d.masked_fill(free, 0.0))
            left = (self.radius**2 - fixed**2).clamp(min=0).sqrt()
            step = left / norm(g.masked_fill(~free, 0.0)).clamp(min=torch.finfo(g.dtype).tiny)
            moved = torch.where(free, step * g, d)
            d = torch.minimum(torch.maximum(moved, lower), upper)
            free = free & (d == moved)
        return (x + d).view_as(self.centre)

    def random(self, generator: torch.Generator) -> Tensor:
        """An image of the ball in a random direction."""
        return self.farthest(gaussian(self.centre, generator))


def check_inner(steps: int) -> None:
    """Refuse a search without a gradient.

    Raises:
        InputError: fewer than one step.

    Example:
        >>> check_inner(2)
    """
    if steps < 1:
        raise InputError(f"inner_steps {steps}: must be 1 or more")


def gaussian(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal numbers of a tensor's shape, from a generator on its own device.

    Example:
        >>> gaussian(torch.zeros(2, 3), torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3])
    """
    drawn = torch.randn(like.shape, generator=generator, device=generator.device, dtype=like.dtype)
    return drawn.to(like.device)


def norm(rows: Tensor) -> Tensor:
    """The length of each row, (B, 1).

    Example:
        >>> norm(torch.tensor([[3.0, 4.0]]))
        tensor([[5.]])
    """
    length: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return length


def worst_case(
    model: HierarchicalVAE,
    ball: Ball,
    generator: torch.Generator,
    *,
    steps: int = 2,
    target: Target = "untargeted-latent",
) -> Tensor:
    r"""The image of a ball that a model takes most wrongly, as far as a few steps find it.

    .. math:: x_{k+1} = \arg\max_{x' \in \text{ball}} \langle \nabla D(x_k), x' \rangle

    This is Frank & Wolfe's step, and for the quadratic D of a small ball the power method. It starts from a random
    direction, since D has no gradient at x itself. The model is in evaluation mode, and its weights get no gradient.

    Args:
        model: what is to be misled.
        ball: around the images.
        generator: of the starting point.
        steps: number of gradients.
        target: what D is, see :func:`distance`.

    Returns:
        Images, (B, C, H, W).

    References:
        Miyato et al. 2018, Virtual Adversarial Training. Madry et al. 2018, Towards Deep Learning Models Resistant to
        Adversarial Attacks.
    """
    worst = ball.random(generator)
    with evaluating(model), torch.enable_grad():
        d = distance(model, ball.centre, target)
        for _ in range(steps):
            worst.requires_grad_()
            (gradient,) = torch.autograd.grad(d(worst).sum(), worst)
            worst = ball.farthest(gradient)
    return worst.detach()


def distance(model: HierarchicalVAE, x: Tensor, target: Target) -> Distance:
    r"""How far images are from x for a model: a function of the images, (B,) each.

    - ``untargeted-latent``: KL(q(z|x') ‖ q(z|x)), summed over the layers that the decoder sees.
    - ``reconstruction``: ‖rec(x') - rec(x)‖².
    - ``targeted``: -M(x', x_t) with x_t the next image of the batch,
      :math:`M = \sum_j (\mu_j(x') - \mu_j(x_t))^2 / \operatorname{Var}_{\text{batch}} \mu_j`.

    Raises:
        InputError: a posterior is no Gaussian.
    """
    if target == "reconstruction":
        return Reconstructions(model, x)
    if target == "targeted":
        return Means(model, x)
    return Divergence(model, x)


class Divergence:
    """KL(q(z|x') ‖ q(z|x)) in nats, summed over the layers that the decoder sees; means are propagated."""

    def __init__(self, model: HierarchicalVAE, x: Tensor) -> None:
        self.model = model
        with torch.no_grad():
            self.clean = seen(model, x)

    def __call__(self, images: Tensor) -> Tensor:
        """The distance of images (B, C, H, W), (B,)."""
        total = torch.zeros(len(images), device=images.device)
        for q, clean in zip(seen(self.model, images), self.clean, strict=True):
            total = total + kl_divergence(q, clean).sum(-1)
        return total


class Reconstructions:
    """‖rec(x') - rec(x)‖², squared data units."""

    def __init__(self, model: HierarchicalVAE, x: Tensor) -> None:
        self.model = model
        with torch.no_grad():
            self.clean = model.reconstruct(x)

    def __call__(self, images: Tensor) -> Tensor:
        """The distance of images (B, C, H, W), (B,)."""
        return (self.model.reconstruct(images) - self.clean).square().flatten(1).sum(-1)


class Means:
    """-M(x', x_t): minus the distance of the means from those of the next image of the batch."""

    def __init__(self, model: HierarchicalVAE, x: Tensor) -> None:
        self.model = model
        with torch.no_grad():
            means = self.means(x)
        self.goal = means.roll(1, dims=0)
        self.variance = means.var(0, correction=0).clamp(min=torch.finfo(means.dtype).tiny)

    def means(self, images: Tensor) -> Tensor:
        """The means of the layers that the decoder sees, side by side."""
        return torch.cat([q.loc for q in seen(self.model, images)], dim=-1)

    def __call__(self, images: Tensor) -> Tensor:
        """The distance of images (B, C, H, W), (B,)."""
        return -((self.means(images) - self.goal).square() / self.variance).sum(-1)


def seen(model: HierarchicalVAE, x: Tensor) -> Sequence[Normal]:
    """The posteriors of the layers that the decoder sees; means are propagated.

    Raises:
        InputError: one is no Gaussian.
    """
    q = model.encode(x)
    for layer in q:
        if not isinstance(layer, Normal):
            raise InputError(f"posterior {type(layer).__name__}: robust training needs a diagonal Gaussian (Normal)")
    if model.decoder_sees == "bottom":
        return q[:1]
    return q
