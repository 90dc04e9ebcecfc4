"""The paper's lineage: what each member is made of, and every default of a model. One table."""

from dataclasses import dataclass, field, replace

from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.checks import check_name, check_sizes
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.lipschitz import SLOPES, check_constants
from seatbelt_vae.models.parts import POSTERIORS
from seatbelt_vae.settings import near, shown

Network = str | tuple[nn.Module, nn.Module]

GREY_SIZES = (96, 48, 24, 12, 6)
COLOUR_SIZES = (256, 128, 64, 32)
SINGLE_SIZE = 32
DEPTH = 4


@dataclass(frozen=True)
class Architecture:
    """The settings of a model. None is a default that depends on the model or on the images, see `completed`.

    Args:
        layers: number of stochastic layers L (4; 1 where there can be no more).
        latent_sizes: dimensions of z_1 … z_L, bottom first (the first L of 96, 48, 24, 12, 6; of 256, 128, 64, 32 for
            colour; 32 for one layer).
        network: conv, mlp, or tiny for trials (conv; mlp, the only one, of a Lipschitz VAE); in Python also two
            modules, (encoder, decoder): the first maps images to (B, F), the second latents to maps.
        hidden_sizes: widths of the conditionals' networks, bottom first; the last one repeats
            (1024, 512, 256, 128, 64). Of a Lipschitz VAE those of the encoder and, backwards, of the decoder; even
            numbers (256, 256).
        likelihood: bernoulli (for grey images), gaussian (for colour), continuous-bernoulli, gaussian-scalar,
            gaussian-pixel, laplace or logistic-mixture.
        posterior: chain (2020), chain-x (2021), top-down, ladder or bidirectional (the model's own).
        constants: of a Lipschitz VAE: of the mean, of the scale, and of the decoder's maps before the likelihood's own
            slope (1, 1, 40).

    Raises:
        InputError: a size is not a whole number above 0, or a name is unknown.
    """

    layers: int | None = None
    latent_sizes: tuple[int, ...] | None = None
    network: Network | None = None
    hidden_sizes: tuple[int, ...] | None = None
    likelihood: str | None = None
    posterior: str | None = None
    constants: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.layers is not None:
            check_sizes("layers", (self.layers,))
        if self.latent_sizes is not None:
            object.__setattr__(self, "latent_sizes", check_sizes("latent_sizes", self.latent_sizes))
        if self.hidden_sizes is not None:
            object.__setattr__(self, "hidden_sizes", check_sizes("hidden_sizes", self.hidden_sizes))
        if self.likelihood is not None:
            check_name("likelihood", self.likelihood, LIKELIHOODS)
        if self.posterior is not None:
            check_name("posterior", self.posterior, POSTERIORS)
        if self.constants is not None:
            object.__setattr__(self, "constants", check_constants(self.constants))


USUAL = Architecture(network="conv", hidden_sizes=(1024, 512, 256, 128, 64))
CERTIFIED = Architecture(network="mlp", hidden_sizes=(256, 256), constants=(1.0, 1.0, 40.0))
"""What a model has unless told otherwise, and what one with certified constants has."""


@dataclass(frozen=True)
class Variant:
    """A member of the lineage.

    Attributes:
        label: how tables and legends call it.
        objective: what it is trained with by default.
        factory: the variant that has the same network; it names a saved model.
        deep: whether it can have more than one layer.
        posterior: how q(z_l | …) is chained by default.
        sees_all: whether the decoder sees every layer and not z_1 alone.
        skips: whether a prior sees all layers above it and not the next alone.
        certified: whether its Lipschitz constants are known by construction.
    """

    label: str
    objective: str
    factory: str
    deep: bool = field(default=False, kw_only=True)
    posterior: str = field(default="chain", kw_only=True)
    sees_all: bool = field(default=True, kw_only=True)
    skips: bool = field(default=False, kw_only=True)
    certified: bool = field(default=False, kw_only=True)


VARIANTS = {
    "vae": Variant("VAE", "elbo", "vae"),
    "beta-vae": Variant("β-VAE", "beta-vae", "vae"),
    "factor-vae": Variant("FactorVAE", "factor-vae", "vae"),
    "hfvae": Variant("HFVAE", "hfvae", "vae"),
    "beta-tcvae": Variant("β-TCVAE", "beta-tc", "vae"),
    "dlgm": Variant("DLGM", "elbo", "dlgm", deep=True, sees_all=False),
    "ladder-vae": Variant("Ladder VAE", "elbo", "ladder-vae", deep=True, posterior="ladder", sees_all=False),
    "biva": Variant("BIVA", "elbo", "biva", deep=True, posterior="bidirectional", skips=True),
    "beta-tcdlgm": Variant("β-TCDLGM", "beta-tc", "beta-tcdlgm", deep=True, sees_all=False),
    "seatbelt": Variant("Seatbelt-VAE", "beta-tc", "seatbelt", deep=True),
    "lipschitz-vae": Variant("Lipschitz VAE", "elbo", "lipschitz-vae", certified=True),
}
"""Models by the name that a spec and ``--model`` use. A new one is a line here."""


def variant_of(name: str) -> Variant:
    """Look a model up.

    Raises:
        InputError: there is none of that name.

    Example:
        >>> variant_of("seatbelt").objective
        'beta-tc'
    """
    if not isinstance(name, str) or name not in VARIANTS:
        hint = near(name, VARIANTS)
        raise InputError(f"model: {shown(name)} is unknown{hint}, use one of {', '.join(VARIANTS)}")
    return VARIANTS[name]


def completed(name: str, architecture: Architecture, channels: int) -> Architecture:
    """Write every default out.

    Args:
        name: a key of `VARIANTS`.
        architecture: what is asked for.
        channels: of the images; 1 is grey.

    Raises:
        InputError: the settings do not go together.

    Example:
        >>> completed("dlgm", Architecture(layers=2), channels=1).latent_sizes
        (96, 48)
    """
    variant = variant_of(name)
    grey = channels == 1
    sizes = architecture.latent_sizes or _default_sizes(variant, architecture.layers, grey)
    if architecture.layers not in (None, len(sizes)):
        raise InputError(f"layers: {architecture.layers} do not go with {len(sizes)} latent_sizes {sizes}")
    if len(sizes) > 1 and not variant.deep:
        deep = ", ".join(other for other, known in VARIANTS.items() if known.deep)
        raise InputError(f"layers: {name} has one layer, not {len(sizes)}; models that take more: {deep}")
    usual = USUAL
    if variant.certified:
        usual = CERTIFIED
        _check_certified(architecture)
    elif architecture.constants is not None:
        raise InputError(f"constants: mean nothing to the model {name}, only to lipschitz-vae")
    pixels = "bernoulli" if grey else "gaussian"
    return replace(
        architecture,
        layers=len(sizes),
        latent_sizes=sizes,
        network=architecture.network or usual.network,
        hidden_sizes=architecture.hidden_sizes or usual.hidden_sizes,
        likelihood=architecture.likelihood or pixels,
        posterior=architecture.posterior or variant.posterior,
        constants=architecture.constants or usual.constants,
    )


def _check_certified(architecture: Architecture) -> None:
    """A Lipschitz VAE has one network, one posterior, and likelihoods whose slope is known."""
    for name, known in (("network", ("mlp",)), ("posterior", ("chain",)), ("likelihood", SLOPES)):
        given = getattr(architecture, name)
        if given is not None:
            check_name(name, given, known)


def _default_sizes(variant: Variant, layers: int | None, grey: bool) -> tuple[int, ...]:
    if layers is None:
        layers = DEPTH if variant.deep else 1
    if layers == 1:
        return (SINGLE_SIZE,)
    known = GREY_SIZES if grey else COLOUR_SIZES
    if layers > len(known):
        raise InputError(f"layers: there are default sizes for at most {len(known)}, give latent_sizes for {layers}")
    return known[:layers]
