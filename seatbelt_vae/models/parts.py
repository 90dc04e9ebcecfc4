"""The parts of a hierarchy with their layer sizes worked out: posteriors by name, and the prior over the layers."""

from collections.abc import Callable, Sequence

from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.conditional import GaussianConditional
from seatbelt_vae.models.generative import Generative
from seatbelt_vae.models.networks import multilayer_perceptron
from seatbelt_vae.models.posteriors import Bidirectional, Chain, Ladder, TopDown

Sizes = Sequence[int]


def chain(features: nn.Module, width: int, sizes: Sizes, hidden: Sizes) -> Chain:
    """q(z_1|x) from the features, then q(z_{l+1}|z_l)."""
    conditionals = [_linear(width, sizes[0])]
    for layer in range(1, len(sizes)):
        conditionals.append(_conditional(sizes[layer - 1], hidden[layer - 1], sizes[layer]))
    return Chain(features, conditionals, sees_x=False)


def chain_x(features: nn.Module, width: int, sizes: Sizes, hidden: Sizes) -> Chain:
    """q(z_1|x) from the features, then q(z_{l+1}|z_l, x)."""
    conditionals = [_linear(width, sizes[0])]
    for layer in range(1, len(sizes)):
        conditionals.append(_conditional(sizes[layer - 1] + width, hidden[layer - 1], sizes[layer]))
    return Chain(features, conditionals, sees_x=True)


def ladder(features: nn.Module, width: int, sizes: Sizes, hidden: Sizes) -> Ladder:
    """The Ladder VAE's deterministic climb, with a Gaussian read off every step."""
    steps = _climb(width, hidden[: len(sizes)])
    heads = []
    for layer, size in enumerate(sizes):
        heads.append(_linear(hidden[layer], size))
    return Ladder(features, steps, heads)


def top_down(features: nn.Module, width: int, sizes: Sizes, hidden: Sizes) -> TopDown:
    """A climb as the Ladder's, and conditionals that read the step and the latent above."""
    steps = _climb(width, hidden[: len(sizes)])
    above = [*sizes[1:], 0]
    heads = []
    for layer, size in enumerate(sizes):
        heads.append(_conditional(hidden[layer] + above[layer], hidden[layer], size))
    return TopDown(features, steps, heads)


def bidirectional(features: nn.Module, width: int, sizes: Sizes, hidden: Sizes) -> Bidirectional:
    """BIVA's two paths; every layer but the top must have an even size."""
    if any(size % 2 for size in sizes[:-1]):
        raise InputError(f"latent sizes {tuple(sizes)}: BIVA halves every layer but the top, so they must be even")
    halves = [size // 2 for size in sizes[:-1]]
    contexts = [width]
    for layer, half in enumerate(halves):
        contexts.append(hidden[layer] + half)
    steps = [_climb_step(context, hidden[layer]) for layer, context in enumerate(contexts)]
    up = [_linear(hidden[layer], size) for layer, size in enumerate([*halves, sizes[-1]])]
    down = []
    for layer, half in enumerate(halves):
        down.append(_conditional(hidden[layer] + sum(sizes[layer + 1 :]), hidden[layer], half))
    return Bidirectional(features, steps, up, down)


POSTERIORS: dict[str, Callable[[nn.Module, int, Sizes, Sizes], nn.Module]] = {
    "chain": chain,
    "chain-x": chain_x,
    "top-down": top_down,
    "ladder": ladder,
    "bidirectional": bidirectional,
}
"""Posteriors by name: of features, their width, latent sizes and hidden sizes, bottom first."""


def generative_of(sizes: Sizes, hidden: Sizes, skips: bool) -> Generative:
    """p(z_l|z_{l+1}), or p(z_l|z_{>l}) with skips, through two hidden layers each."""
    conditionals = []
    for layer in range(len(sizes) - 1):
        above = sizes[layer + 1 :]
        seen = sum(above) if skips else above[0]
        conditionals.append(_conditional(seen, hidden[layer], sizes[layer]))
    return Generative(sizes, conditionals, skips)


def _linear(context_size: int, latent_size: int) -> GaussianConditional:
    return GaussianConditional(nn.Linear(context_size, 2 * latent_size))


def _conditional(context_size: int, hidden: int, latent_size: int) -> GaussianConditional:
    """A Gaussian given a context, through two hidden layers with ReLU."""
    return GaussianConditional(multilayer_perceptron([context_size, hidden, hidden, 2 * latent_size]))


def _climb(width: int, hidden: Sizes) -> list[nn.Module]:
    """Deterministic steps up of the given widths."""
    contexts = [width, *hidden[:-1]]
    return [_climb_step(context, size) for context, size in zip(contexts, hidden, strict=True)]


def _climb_step(context_size: int, hidden: int) -> nn.Module:
    """Two hidden layers with batch normalisation, as the Ladder VAE needs to train."""
    first = nn.Linear(context_size, hidden)
    second = nn.Linear(hidden, hidden)
    return nn.Sequential(first, nn.BatchNorm1d(hidden), nn.ReLU(), second, nn.BatchNorm1d(hidden), nn.ReLU())
