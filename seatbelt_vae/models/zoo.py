"""Every model of the paper's lineage as a factory: which posterior, which prior, what the decoder sees.

An objective makes the rest: a β-TCVAE is :func:`vae` trained with ``BetaTC``, a Seatbelt-VAE with β = 1 is trained
with the plain ELBO.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.conditional import GaussianConditional
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.networks import NETWORKS, ImageShape, check_image_shape, multilayer_perceptron
from seatbelt_vae.models.posteriors import Bidirectional, Chain, Ladder, TopDown

HIDDEN_SIZES = (1024, 512, 256, 128, 64)
Network = str | tuple[nn.Module, nn.Module]


def conditional(context_size: int, hidden: int, latent_size: int) -> GaussianConditional:
    """A Gaussian given a context, through two hidden layers with ReLU.

    Example:
        >>> conditional(4, 16, 2)(torch.zeros(1, 4)).scale.shape
        torch.Size([1, 2])
    """
    return GaussianConditional(multilayer_perceptron([context_size, hidden, hidden, 2 * latent_size]))


def climb_step(context_size: int, hidden: int) -> nn.Sequential:
    """One deterministic step up: two hidden layers with batch normalisation, as the Ladder VAE needs to train.

    Example:
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


def make(
    name: str,
    image_shape: Sequence[int],
    latent_sizes: Sequence[int],
    network: Network,
    likelihood: str,
    posterior: str,
    hidden_sizes: Sequence[int],
    *,
    sees_all: bool,
    skips: bool = False,
) -> HierarchicalVAE:
    """Put the parts of a model together and note the recipe.

    Raises:
        InputError: a name, size or shape that no part can take.
    """
    shape, sizes = check_image_shape(image_shape), check_sizes("latent_sizes", latent_sizes)
    hidden = check_sizes("hidden_sizes", hidden_sizes)
    hidden += hidden[-1:] * (len(sizes) - len(hidden))
    if likelihood not in LIKELIHOODS:
        raise InputError(f"likelihood {likelihood!r}: must be one of {', '.join(LIKELIHOODS)}")
    if posterior not in POSTERIORS:
        raise InputError(f"posterior {posterior!r}: must be one of {', '.join(POSTERIORS)}")
    pixels = LIKELIHOODS[likelihood]()
    maps = pixels.maps_per_channel * shape[0]
    features, width, decoder = networks(network, shape, sum(sizes) if sees_all else sizes[0], maps)
    recipe = {
        "model": name,
        "arguments": {
            "image_shape": list(shape),
            "latent_sizes": list(sizes),
            "network": network if isinstance(network, str) else "custom",
            "likelihood": likelihood,
            "posterior": posterior,
            "hidden_sizes": list(hidden_sizes),
        },
    }
    return HierarchicalVAE(
        POSTERIORS[posterior](features, width, sizes, hidden),
        generative(sizes, hidden, skips),
        Decoder(decoder, pixels, sees_all),
        image_shape=shape,
        recipe=recipe,
    )


def check_sizes(name: str, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes as a tuple if they are positive integers, at least one.

    Raises:
        InputError: none, or one below 1.

    Example:
        >>> check_sizes("latent_sizes", [8, 4])
        (8, 4)
    """
    if len(sizes) == 0 or any(not isinstance(size, int) or size < 1 for size in sizes):
        raise InputError(f"{name} {tuple(sizes)}: must be one positive whole number for each layer, bottom first")
    return tuple(sizes)


def networks(network: Network, shape: ImageShape, latent_size: int, maps: int) -> tuple[nn.Module, int, nn.Module]:
    """Encoder features, their width, and the decoder: by name, or modules of the user's own.

    Raises:
        InputError: an unknown name, or a user's module of the wrong shape.
    """
    if isinstance(network, str):
        if network not in NETWORKS:
            raise InputError(
                f"network {network!r}: must be one of {', '.join(NETWORKS)}, or (encoder, decoder) modules"
            )
        features_class, decoder_class = NETWORKS[network]
        return features_class(shape), features_class.size, decoder_class(latent_size, shape, maps)
    encoder, decoder = network
    features = probe(encoder, torch.zeros(2, *shape))
    if features.dim() != 2:
        raise InputError(
            f"encoder: must map images to (batch, features), gave {tuple(features.shape)} for a batch of 2"
        )
    image = probe(decoder, torch.zeros(2, latent_size))
    if image.shape != (2, maps, *shape[1:]):
        expected = (2, maps, *shape[1:])
        raise InputError(f"decoder: must map (2, {latent_size}) to {expected}, gave {tuple(image.shape)}")
    return encoder, features.shape[1], decoder


def probe(module: nn.Module, example: torch.Tensor) -> torch.Tensor:
    """A module's output on an example, its batch statistics and mode left as they were."""
    training = module.training
    with torch.no_grad():
        output: torch.Tensor = module.eval()(example)
    module.train(training)
    return output


def vae(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (32,),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "chain",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """A VAE with one layer of latents; with other objectives a β-VAE, β-TCVAE, FactorVAE or HFVAE.

    Args:
        image_shape: (C, H, W), 28 to 128 pixels square.
        latent_sizes: one size.
        network: ``conv``, ``mlp``, or (encoder, decoder) modules of your own: images to (B, F), latents to maps.
        likelihood: a name of :data:`~seatbelt_vae.models.likelihoods.LIKELIHOODS`.
        posterior: ``chain``, the only one that makes sense at L = 1.
        hidden_sizes: unused at L = 1; kept so that all factories can be called alike.

    Raises:
        InputError: more than one latent size, or a shape or name that cannot be.

    References:
        Kingma & Welling 2014, Auto-Encoding Variational Bayes.

    Example:
        >>> vae((1, 28, 28), latent_sizes=(10,), network="mlp").latent_sizes
        (10,)
    """
    if len(latent_sizes) != 1:
        raise InputError(f"latent_sizes {tuple(latent_sizes)}: a VAE has one layer; dlgm and seatbelt take more")
    return make("vae", image_shape, latent_sizes, network, likelihood, posterior, hidden_sizes, sees_all=True)


def dlgm(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (96, 48, 24, 12),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "chain",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """A deep latent Gaussian model: the decoder sees z_1 alone. Arguments as :func:`vae`, posterior any.

    References:
        Rezende, Mohamed & Wierstra 2014, Stochastic Backpropagation.

    Example:
        >>> dlgm((1, 28, 28), latent_sizes=(8, 4), network="mlp").likelihood.sees_all
        False
    """
    return make("dlgm", image_shape, latent_sizes, network, likelihood, posterior, hidden_sizes, sees_all=False)


def beta_tcdlgm(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (96, 48, 24, 12),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "chain",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """The network of :func:`dlgm`, to be trained with ``BetaTC``: the paper's ablation without skip connections.

    Example:
        >>> beta_tcdlgm((1, 28, 28), latent_sizes=(8, 4), network="mlp").recipe["model"]
        'beta-tcdlgm'
    """
    return make("beta-tcdlgm", image_shape, latent_sizes, network, likelihood, posterior, hidden_sizes, sees_all=False)


def ladder_vae(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (96, 48, 24, 12),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "ladder",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """A Ladder VAE: precision-weighted top-down posterior, decoder on z_1. Train it with a KL warm-up or free bits.

    References:
        Sønderby et al. 2016, Ladder Variational Autoencoders.

    Example:
        >>> type(ladder_vae((1, 28, 28), latent_sizes=(8, 4), network="mlp").posterior).__name__
        'Ladder'
    """
    return make("ladder-vae", image_shape, latent_sizes, network, likelihood, posterior, hidden_sizes, sees_all=False)


def biva(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (96, 48, 24, 12),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "bidirectional",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """BIVA: bidirectional posterior, skip connections in the prior, and a decoder that sees every layer.

    References:
        Maaløe et al. 2019, BIVA: a very deep hierarchy of latent variables for generative modelling.

    Example:
        >>> biva((1, 28, 28), latent_sizes=(8, 4), network="mlp").generative.skips
        True
    """
    return make(
        "biva",
        image_shape,
        latent_sizes,
        network,
        likelihood,
        posterior,
        hidden_sizes,
        sees_all=True,
        skips=True,
    )


def seatbelt_vae(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (96, 48, 24, 12),
    network: Network = "conv",
    likelihood: str = "bernoulli",
    posterior: str = "chain",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
) -> HierarchicalVAE:
    """The Seatbelt-VAE: a chain of latents and a decoder that sees every one of them; train it with ``BetaTC``.

    Args:
        image_shape: (C, H, W), 28 to 128 pixels square.
        latent_sizes: D_1 … D_L, bottom first; one size gives a β-TCVAE.
        network: ``conv``, ``mlp``, or (encoder, decoder) modules of your own.
        likelihood: a name of :data:`~seatbelt_vae.models.likelihoods.LIKELIHOODS`.
        posterior: ``chain`` (2020), ``chain-x`` (2021), ``top-down``, ``ladder`` or ``bidirectional``.
        hidden_sizes: width of the conditionals' hidden layers, bottom first; the last repeats.

    References:
        Willetts, Camuto, Roberts & Holmes 2020, Disentangling improves VAEs' robustness to adversarial attacks.

    Example:
        >>> seatbelt_vae((1, 28, 28), latent_sizes=(8, 4), network="mlp").likelihood.sees_all
        True
    """
    return make("seatbelt", image_shape, latent_sizes, network, likelihood, posterior, hidden_sizes, sees_all=True)


POSTERIORS: dict[str, Callable[[nn.Module, int, tuple[int, ...], tuple[int, ...]], nn.Module]] = {
    "chain": lambda features, width, sizes, hidden: chain(features, width, sizes, hidden, sees_x=False),
    "chain-x": lambda features, width, sizes, hidden: chain(features, width, sizes, hidden, sees_x=True),
    "top-down": top_down,
    "ladder": ladder,
    "bidirectional": bidirectional,
}
"""Posteriors by name."""

FACTORIES: dict[str, Callable[..., HierarchicalVAE]] = {
    "vae": vae,
    "dlgm": dlgm,
    "beta-tcdlgm": beta_tcdlgm,
    "ladder-vae": ladder_vae,
    "biva": biva,
    "seatbelt": seatbelt_vae,
}
"""Networks by name; a new one is a factory and one line here."""


def build(name: str, image_shape: Sequence[int], **arguments: Any) -> HierarchicalVAE:
    """Build a model by its name.

    Args:
        name: a key of :data:`FACTORIES`.
        image_shape: (C, H, W).
        arguments: the factory's other arguments.

    Raises:
        InputError: unknown name or argument.

    Example:
        >>> build("dlgm", (1, 28, 28), latent_sizes=(8, 4), network="mlp").latent_sizes
        (8, 4)
    """
    if name not in FACTORIES:
        raise InputError(f"model {name!r}: must be one of {', '.join(FACTORIES)}")
    try:
        return FACTORIES[name](image_shape, **arguments)
    except TypeError as error:
        raise InputError(f"model {name!r}: {error}") from error
