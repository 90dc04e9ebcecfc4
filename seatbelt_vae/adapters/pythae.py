"""Models of the pythae library."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, MixtureSameFamily, Normal

from seatbelt_vae.adapters.wrap import wrap
from seatbelt_vae.adapters.wrapped import Wrapped
from seatbelt_vae.errors import InputError

OTHER_POSTERIORS = {
    "SVAE": "a von Mises-Fisher distribution",
    "PoincareVAE": "a distribution in hyperbolic space",
    "VAE_IAF": "a Gaussian moved by a flow",
    "VAE_LinNF": "a Gaussian moved by a flow",
    "HVAE": "a Gaussian moved by Hamiltonian steps",
    "RHVAE": "a Gaussian moved by Hamiltonian steps",
    "VQVAE": "a code from a table",
}
"""Models whose posterior is no Gaussian, by class."""

CODES = "wrap(lambda x: model.encoder(x).embedding, …, image_shape=…) attacks the distance of its codes"


def pythae(model: Any, *, image_shape: Sequence[int | None] | None = None) -> Wrapped:
    """A model of pythae with a Gaussian posterior or a plain code, ready to be attacked.

    The likelihood is that of its loss: N(image, 1) for ``mse``, Bernoulli pixels for ``bce``. The mixture prior of a
    ``VAMP`` is its prior. Plain autoencoders (``AE``, ``RAE_L2``, ``RAE_GP``, ``WAE_MMD``) are attacked by the distance
    of codes.

    Args:
        model: such as ``AutoModel.load_from_folder`` gives.
        image_shape: (C, H, W), where the model's configuration does not say it.

    Returns:
        A model with `encode` and `decode`.

    Raises:
        InputError: no model of pythae, one whose posterior is no Gaussian, or an unknown image shape.

    References:
        Chadebec et al. 2022, Pythae: unifying generative autoencoders in Python.

    Example:
        >>> pythae(nn.Linear(2, 2))
        Traceback (most recent call last):
        seatbelt_vae.errors.InputError: Linear: is no model of pythae; use seatbelt_vae.wrap
    """
    kind = type(model).__name__
    if not all(hasattr(model, part) for part in ("encoder", "decoder", "model_config")):
        raise InputError(f"{kind}: is no model of pythae; use seatbelt_vae.wrap")
    for name in _classes(model) & set(OTHER_POSTERIORS):
        raise InputError(f"{kind}: its posterior is {OTHER_POSTERIORS[name]}, no Gaussian; {CODES}")
    shape = image_shape or model.model_config.input_dim
    if shape is None:
        raise InputError(f"{kind}: its configuration has no input_dim; give image_shape")
    is_vae = "VAE" in _classes(model)
    prior = None
    if "VAMP" in _classes(model):
        prior = MixturePrior(model)
    return wrap(
        Encoder(model.encoder, is_vae),
        Decoder(model, shape),
        image_shape=shape,
        posterior="log-variance" if is_vae else "code",
        prior=prior,
    )


class Encoder(nn.Module):
    """The encoder's output as tensors.

    Args:
        encoder: of pythae.
        is_vae: whether it gives log-variances.
    """

    def __init__(self, encoder: nn.Module, is_vae: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.is_vae = is_vae

    def forward(self, x: Tensor) -> Any:
        """Means and log-variances (B, D), or codes."""
        out = self.encoder(x)
        if self.is_vae:
            return out.embedding, out.log_covariance
        return out.embedding


class Decoder(nn.Module):
    """The decoder's output as what the loss of the model takes it for.

    Args:
        model: of pythae.
        shape: of images.
    """

    def __init__(self, model: Any, shape: Sequence[int | None]) -> None:
        super().__init__()
        self.decoder = model.decoder
        self.shape = tuple(shape)
        self.loss = getattr(model.model_config, "reconstruction_loss", None)

    def forward(self, z: Tensor) -> Tensor | Distribution:
        """A distribution of images (B, …), or images."""
        image = self.decoder(z).reconstruction
        if None not in self.shape:
            image = image.reshape(len(z), *self.shape)
        if self.loss == "bce":
            return Bernoulli(image, validate_args=False)
        if self.loss == "mse":
            return Normal(image, torch.ones_like(image), validate_args=False)
        made: Tensor = image
        return made


class MixturePrior(nn.Module):
    r"""The prior of a VampPrior: the mean of the posteriors of C pseudo-inputs u.

    .. math:: p(z) = \frac1C \sum_c q(z | u_c)

    Args:
        model: a ``VAMP`` of pythae.

    References:
        Tomczak & Welling 2018, VAE with a VampPrior.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vamp = model

    def forward(self, z: Tensor) -> Distribution:
        """The mixture, whatever z is."""
        count = self.vamp.number_components
        inputs = self.vamp.pseudo_inputs(self.vamp.idle_input.to(z))
        out = self.vamp.encoder(inputs.reshape(count, *self.vamp.model_config.input_dim))
        scale = (0.5 * out.log_covariance).exp()
        components = Independent(Normal(out.embedding, scale, validate_args=False), 1)
        weights = Categorical(logits=torch.zeros_like(scale[:, 0]))
        return MixtureSameFamily(weights, components, validate_args=False)


def _classes(model: object) -> set[str]:
    return {base.__name__ for base in type(model).__mro__}
