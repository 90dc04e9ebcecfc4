"""A factory for each network of the lineage; the table of `variants` says what it is made of.

An objective makes the rest: a β-TCVAE is `vae` trained with ``BetaTC``, a Seatbelt-VAE with β = 1 is trained with the
plain ELBO. All take ``(image_shape, latent_sizes=None, **settings)``, the settings of
:class:`~seatbelt_vae.models.variants.Architecture`.
"""

from collections.abc import Sequence
from typing import Any

from seatbelt_vae.models.hierarchical import HierarchicalVAE

Sizes = Sequence[int] | None


def build(name: str, image_shape: Sequence[int], **settings: Any) -> HierarchicalVAE:
    """Build a model by its name.

    Args:
        name: a key of :data:`~seatbelt_vae.models.variants.VARIANTS`.
        image_shape: (C, H, W), sides of 28 to 128 pixels; any with modules of your own.
        settings: those of :class:`~seatbelt_vae.models.variants.Architecture`.

    Raises:
        InputError: an unknown name or setting, or settings that do not go together.

    Example:
        >>> build("dlgm", (1, 28, 28), latent_sizes=(8, 4), network="mlp").latent_sizes
        (8, 4)
    """
    return HierarchicalVAE.of(name, image_shape, **settings)


def vae(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """A VAE with one layer of latents; with other objectives a β-VAE, β-TCVAE, FactorVAE or HFVAE.

    References:
        Kingma & Welling 2014, Auto-Encoding Variational Bayes.

    Example:
        >>> vae((1, 28, 28), latent_sizes=(10,), network="mlp").latent_sizes
        (10,)
    """
    return build("vae", image_shape, latent_sizes=latent_sizes, **settings)


def dlgm(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """A deep latent Gaussian model: the decoder sees z_1 alone.

    References:
        Rezende, Mohamed & Wierstra 2014, Stochastic Backpropagation.
    """
    return build("dlgm", image_shape, latent_sizes=latent_sizes, **settings)


def beta_tcdlgm(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """The network of `dlgm`, to be trained with ``BetaTC``: the paper's ablation without skip connections."""
    return build("beta-tcdlgm", image_shape, latent_sizes=latent_sizes, **settings)


def ladder_vae(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """A Ladder VAE: precision-weighted top-down posterior, decoder on z_1. Train it with a KL warm-up or free bits.

    References:
        Sønderby et al. 2016, Ladder Variational Autoencoders.
    """
    return build("ladder-vae", image_shape, latent_sizes=latent_sizes, **settings)


def biva(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """BIVA: bidirectional posterior, skip connections in the prior, and a decoder that sees every layer.

    References:
        Maaløe et al. 2019, BIVA: a very deep hierarchy of latent variables for generative modelling.
    """
    return build("biva", image_shape, latent_sizes=latent_sizes, **settings)


def seatbelt_vae(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """The Seatbelt-VAE: a chain of latents and a decoder that sees every one of them; train it with ``BetaTC``.

    References:
        Willetts, Camuto, Roberts & Holmes 2020, Disentangling improves VAEs' robustness to adversarial attacks.

    Example:
        >>> seatbelt_vae((1, 28, 28), latent_sizes=(8, 4), network="mlp").likelihood.sees_all
        True
    """
    return build("seatbelt", image_shape, latent_sizes=latent_sizes, **settings)


def lipschitz_vae(image_shape: Sequence[int], latent_sizes: Sizes = None, **settings: Any) -> HierarchicalVAE:
    """A VAE with one layer of latents and certified constants, ``model.lipschitz``, for images of any size.

    References:
        Barrett, Camuto, Willetts & Rainforth 2022, Certifiably Robust Variational Autoencoders.

    Example:
        >>> round(lipschitz_vae((1, 28, 28), hidden_sizes=(8,)).lipschitz.reconstruction, 2)
        10.0
    """
    return build("lipschitz-vae", image_shape, latent_sizes=latent_sizes, **settings)
