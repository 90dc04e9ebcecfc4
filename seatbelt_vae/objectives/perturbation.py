r"""Perturbations inside a ball and inside the image bounds: random ones, and the worst that a few steps find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.distributed import share, world_size
from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.models.modes import evaluating

Target = Literal["untargeted-latent", "reconstruction", "targeted"]
Distance = Callable[[Tensor], Tensor]
Sampler = Callable[..., Tensor]
NEARER = 0.4
"""Share of the distance to a target within which an image still has to be taken for what it was."""
FILLING = 4
"""Passes that share out the length which the bounds cut off; the rest is below a percent."""


@dataclass(frozen=True)
class Ball:
    """The images within an L2 distance of given ones, and within the bounds of the data.

    Args:
        centre: x, (B, C, H, W).
        radius: largest ‖d‖, un-squared L2 over the whole image, (B, 1).
        bounds: of the pixels.
    """

    centre: Tensor
    radius: Tensor
    bounds: tuple[float, float]

    def farthest(self, direction: Tensor) -> Tensor:
        r"""The image of the ball that is farthest in a direction (B, C, H, W).

        .. math:: \arg\max_{x'} \langle g, x' \rangle, \qquad x' - x = \operatorname{clip}(t g)

        with t such that ‖x' - x‖ is the radius, where the bounds leave room for that.

        Example:
            >>> ball = Ball(torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[0.25]]), (0.0, 1.0))
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

    def short_of(self, other: Tensor) -> Self:
        """The same ball, where it ends before it is as near to other images as to its centre."""
        apart = norm((other - self.centre).flatten(1))
        return replace(self, radius=torch.minimum(self.radius, NEARER * apart))

    def random(self, generator: torch.Generator) -> Tensor:
        """An image of the ball in a random direction."""
        return self.farthest(draw(torch.randn, self.centre, generator))


def check_inner(steps: int) -> None:
    """Refuse a search without a gradient."""
    if steps < 1:
        raise InputError(f"inner_steps {steps}: must be 1 or more")


def draw(sampler: Sampler, like: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers of a tensor's shape and dtype, from a generator on its own device.

    They are drawn for the rows of all processes, so that each has those that one process would give it.
    """
    drawn = sampler(
        (world_size() * len(like), *like.shape[1:]),
        generator=generator,
        device=generator.device,
        dtype=like.dtype,
    )
    return share(drawn).to(like.device)


def norm(rows: Tensor) -> Tensor:
    """The length of each row, (B, 1)."""
    length: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return length


def worst_case(
    model: HierarchicalVAE,
    ball: Ball,
    generator: torch.Generator,
    *,
    steps: int = 5,
    target: Target = "untargeted-latent",
) -> Tensor:
    r"""The image of a ball that a model takes most wrongly, as far as a few steps find it.

    .. math:: x_{k+1} = (1 - \gamma_k) x_k + \gamma_k
        \arg\max_{x' \in \text{ball}} \langle \nabla D(x_k), x' \rangle

    These are Frank & Wolfe's steps. An untargeted D is convex near x: γ = 1, which for a quadratic D is the power
    method, from a random start, since D has no gradient at x itself. A targeted D is concave: γ = 2 / (k + 3), from
    where the line to the target leaves the ball. The model is in evaluation mode, and its weights get no gradient.

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
        Adversarial Attacks. Jaggi 2013, Revisiting Frank-Wolfe.
    """
    if target == "targeted":
        ball = ball.short_of(following(ball.centre))
        worst = ball.farthest(following(ball.centre) - ball.centre)
    else:
        worst = ball.random(generator)
    with evaluating(model), torch.enable_grad():
        d = distance(model, ball.centre, target)
        for step in range(steps):
            worst.requires_grad_()
            (gradient,) = torch.autograd.grad(d(worst).sum(), worst)
            best = ball.farthest(gradient)
            if target == "targeted":
                best = torch.lerp(worst.detach(), best, 2 / (step + 3))
            worst = best
    return worst.detach()


def following(x: Tensor) -> Tensor:
    """For each image of a batch the next one: its target."""
    return x.roll(-1, dims=0)


def distance(model: HierarchicalVAE, x: Tensor, target: Target) -> Distance:
    r"""How far images are from x for a model: a function of the images, (B,) each.

    - ``untargeted-latent``: KL(q(z|x') ‖ q(z|x)), summed over the layers that the decoder sees.
    - ``reconstruction``: ‖rec(x') - rec(x)‖².
    - ``targeted``: -KL(q(z|x') ‖ q(z|x_t)), likewise, with x_t the next image of the batch.

    Raises:
        InputError: a posterior is no Gaussian.
    """
    if target == "reconstruction":
        with torch.no_grad():
            decoded = model.reconstruct(x)
        return lambda images: (model.reconstruct(images) - decoded).square().flatten(1).sum(-1)
    sign = 1.0
    if target == "targeted":
        sign, x = -1.0, following(x)
    with torch.no_grad():
        clean = seen(model, x)
    return lambda images: sign * divergence(seen(model, images), clean)


def divergence(attacked: Sequence[Normal], clean: Sequence[Normal]) -> Tensor:
    """KL between the posteriors of images and of others in nats, summed over layers, (B,)."""
    total = attacked[0].loc.new_zeros(len(attacked[0].loc))
    for q, t in zip(attacked, clean, strict=True):
        total = total + kl_divergence(q, t).sum(-1)
    return total


def seen(model: HierarchicalVAE, x: Tensor) -> Sequence[Normal]:
    """The posteriors of the layers that the decoder sees; means are propagated."""
    q = model.encode(x)
    for layer in q:
        if not isinstance(layer, Normal):
            raise InputError(f"posterior {type(layer).__name__}: robust training needs a diagonal Gaussian (Normal)")
    if model.decoder_sees == "bottom":
        return q[:1]
    return q
