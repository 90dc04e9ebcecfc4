"""The parts of a hierarchy with their layer sizes worked out: posteriors by name, and the prior over the layers."""

from collections.abc import Callable, Sequence

from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.conditional import GaussianConditional
from seatbelt_vae.models.generative import Generative
from seatbelt_vae.models.networks import multilayer_perceptron
from seatbelt_vae.models.posteriors import Bidirectional, Chain, Ladder, TopDown


def conditional(context_size: int, hidden: int, latent_size: int) -> GaussianConditional:
    """A Gaussian given a context, through two hidden layers with ReLU.

    Example:
        >>> import torch
        >>> conditional(4, 16, 2)(torch.zeros(1, 4)).scale.shape
        torch.Size([1, 2])
    """
    return GaussianConditional(multilayer_perceptron([context_size, hidden, hidden, 2 * latent_size]))


def climb_step(context_size: int, hidden: int) -> nn.Sequential:
    """One deterministic step up: two hidden layers with batch normalisation, as the Ladder VAE needs to train.

    Example:
        >>> import torch
        >>> climb_step(4, 8)(torch.zeros(3, 4)).shape
        torch.Size([3, 8])
    """
    first, second = nn.Linear(context_size, hidden), nn.Linear(hidden, hidden)
    return nn.Sequential(first, nn.BatchNorm1d(hidden), nn.ReLU(), second, nn.BatchNorm1d(hidden), nn.ReLU())


def chain(features: nn.Module, width: int, sizes: Sequence[int], hidden: Sequence[int], sees_x: bool) -> Chain:
    """q(z_1|x) from the features, then q(z_{l+1}|z_l) or q(z_{l+1}|z_l, x).

    Example:
        >>> len(chain(nn.Flatten(), 16, (4, 2), (8, 8), sees_x=True).conditionals)
        2
    """
    first = GaussianConditional(nn.Linear(width, 2 * sizes[0]))
    upper = [
        conditional(below + (width if sees_x else 0), hidden[layer], size)
        for layer, (below, size) in enumerate(zip(sizes[:-1], sizes[1:], strict=True))
    ]
    return Chain(features, [first, *upper], sees_x)


def ladder(features: nn.Module, width: int, sizes: Sequence[int], hidden: Sequence[int]) -> Ladder:
    """The Ladder VAE's deterministic climb, with a Gaussian read off every step.

    Example:
        >>> len(ladder(nn.Flatten(), 16, (4, 2), (8, 8)).climb)
        2
    """
    steps, widths = climb(width, hidden[: len(sizes)])
    heads = [GaussianConditional(nn.Linear(w, 2 * size)) for w, size in zip(widths, sizes, strict=True)]
    return Ladder(features, steps, heads)


def top_down(features: nn.Module, width: int, sizes: Sequence[int], hidden: Sequence[int]) -> TopDown:
    """A climb as the Ladder's, and conditionals that read the step and the latent above.

    Example:
        >>> len(top_down(nn.Flatten(), 16, (4, 2), (8, 8)).conditionals)
        2
    """
    steps, widths = climb(width, hidden[: len(sizes)])
    above = [*sizes[1:], 0]
    heads = [
        conditional(w + up, h, size) for w, up, h, size in zip(widths, above, hidden[: len(sizes)], sizes, strict=True)
    ]
    return TopDown(features, steps, heads)


def bidirectional(features: nn.Module, width: int, sizes: Sequence[int], hidden: Sequence[int]) -> Bidirectional:
    """BIVA's two paths; every layer but the top must have an even size.

    Example:
        >>> len(bidirectional(nn.Flatten(), 16, (4, 2), (8, 8)).down)
        1
    """
    if any(size % 2 for size in sizes[:-1]):
        raise InputError(f"latent sizes {tuple(sizes)}: BIVA halves every layer but the top, so they must be even")
    halves = [size // 2 for size in sizes[:-1]]
    contexts = [width, *(h + half for h, half in zip(hidden, halves, strict=False))]
    steps = [climb_step(context, h) for context, h in zip(contexts, hidden, strict=False)]
    up = [GaussianConditional(nn.Linear(h, 2 * size)) for h, size in zip(hidden, [*halves, sizes[-1]], strict=False)]
    down = [conditional(hidden[i] + sum(sizes[i + 1 :]), hidden[i], half) for i, half in enumerate(halves)]
    return Bidirectional(features, steps, up, down)


def climb(width: int, hidden: Sequence[int]) -> tuple[list[nn.Module], list[int]]:
    """Deterministic steps of the given widths, and those widths.

    Example:
        >>> climb(16, (8, 4))[1]
        [8, 4]
    """
    contexts = [width, *hidden[:-1]]
    return [climb_step(context, h) for context, h in zip(contexts, hidden, strict=True)], list(hidden)


def generative(sizes: Sequence[int], hidden: Sequence[int], skips: bool) -> Generative:
    """p(z_l|z_{l+1}), or p(z_l|z_{>l}) with skips, through two hidden layers each.

    Example:
        >>> generative((4, 2), (8, 8), skips=False).latent_sizes
        (4, 2)
    """
    contexts = [sum(sizes[i + 1 :]) if skips else sizes[i + 1] for i in range(len(sizes) - 1)]
    conditionals = [conditional(context, hidden[i], sizes[i]) for i, context in enumerate(contexts)]
    return Generative(sizes, conditionals, skips)


POSTERIORS: dict[str, Callable[[nn.Module, int, tuple[int, ...], tuple[int, ...]], nn.Module]] = {
    "chain": lambda features, width, sizes, hidden: chain(features, width, sizes, hidden, sees_x=False),
    "chain-x": lambda features, width, sizes, hidden: chain(features, width, sizes, hidden, sees_x=True),
    "top-down": top_down,
    "ladder": ladder,
    "bidirectional": bidirectional,
}
"""Posteriors by name."""
