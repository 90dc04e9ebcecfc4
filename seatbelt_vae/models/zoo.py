"""Every model of the paper's lineage as a factory: which posterior, which prior, what the decoder sees.

An objective makes the rest: a β-TCVAE is :func:`vae` trained with ``BetaTC``, a Seatbelt-VAE with β = 1 is trained
with the plain ELBO.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.checks import Network, check_name, check_shape, check_sizes, networks
from seatbelt_vae.models.generative import Decoder
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.lipschitz import lipschitz_vae
from seatbelt_vae.models.parts import POSTERIORS, generative

HIDDEN_SIZES = (1024, 512, 256, 128, 64)


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
    shape, sizes = check_shape(image_shape, network), check_sizes("latent_sizes", latent_sizes)
    given = check_sizes("hidden_sizes", hidden_sizes)
    hidden = given + given[-1:] * (len(sizes) - len(given))
    check_name("likelihood", likelihood, LIKELIHOODS)
    check_name("posterior", posterior, POSTERIORS)
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
            "hidden_sizes": list(given),
        },
    }
    model = HierarchicalVAE(
        POSTERIORS[posterior](features, width, sizes, hidden),
        generative(sizes, hidden, skips),
        Decoder(decoder, pixels, sees_all),
        image_shape=shape,
        recipe=recipe,
    )
    return as_made(model, features, decoder)


def as_made(model: HierarchicalVAE, *own: nn.Module) -> HierarchicalVAE:
    """Take a model to the dtype and device of modules that were made before it.

    Example:
        >>> double = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
        >>> decoder = nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (1, 2, 2))).double()
        >>> vae((1, 2, 2), (2,), network=(double, decoder)).draw_noise(1)[0].dtype
        torch.float64
    """
    weight = next((weight for module in own for weight in module.parameters()), None)
    return model if weight is None else model.to(weight.device, weight.dtype)


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
        image_shape: (C, H, W), 28 to 128 pixels square; any with modules of your own.
        latent_sizes: one size.
        network: ``conv``, ``mlp``, ``tiny``, or (encoder, decoder) modules of your own: images to (B, F), latents to
            maps.
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
    if len(check_sizes("latent_sizes", latent_sizes)) != 1:
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
        network: ``conv``, ``mlp``, ``tiny``, or (encoder, decoder) modules of your own.
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


FACTORIES: dict[str, Callable[..., HierarchicalVAE]] = {
    "vae": vae,
    "dlgm": dlgm,
    "beta-tcdlgm": beta_tcdlgm,
    "ladder-vae": ladder_vae,
    "biva": biva,
    "seatbelt": seatbelt_vae,
    "lipschitz-vae": lipschitz_vae,
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
    check_name("model", name, FACTORIES)
    try:
        return FACTORIES[name](image_shape, **arguments)
    except TypeError as error:
        raise InputError(f"model {name!r}: {error}") from error
