"""The one model class: a posterior, a generative prior and a likelihood. Variants are lines of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.checks import check_shape, networks
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.lipschitz import Constants, certified, lipschitz_parts
from seatbelt_vae.models.modes import evaluating
from seatbelt_vae.models.networks import ImageShape
from seatbelt_vae.models.parts import POSTERIORS, generative_of
from seatbelt_vae.models.pretrained import Pretrained
from seatbelt_vae.models.variants import Architecture, completed, variant_of


@dataclass(frozen=True)
class Encoding:
    """All that an objective needs to know of one pass through a model.

    Attributes:
        q: posteriors q(z_l | ·), each of batch shape (B, D_l), bottom first.
        z: their samples, (B, D_l).
        p: priors p(z_l | z_{>l}) at those samples; the last is N(0, I).
        likelihood: p(x | z), batch shape (B,), event shape (C, H, W).
        others: top posteriors of further examples, (B', D_L), no gradient: more columns for log q̂ (``tc_samples``).
        terms: per-example terms that took further passes, by name; see :mod:`seatbelt_vae.objectives.wrapper`.
    """

    q: tuple[Normal, ...]
    z: tuple[Tensor, ...]
    p: tuple[Normal, ...]
    likelihood: Distribution
    others: Normal | None = None
    terms: Mapping[str, Tensor] = field(default_factory=dict)

    def with_term(self, name: str, term: Tensor) -> Self:
        """The same encoding with one term more."""
        return replace(self, terms={**self.terms, name: term})


M = TypeVar("M", bound=nn.Module)


class HierarchicalVAE(Pretrained, nn.Module):
    r"""A variational autoencoder with L ≥ 1 layers of latents, z_1 nearest the data.

    .. math:: p(x|z) \, p(z_L) \prod_{l<L} p(z_l|z_{>l}), \qquad q(z_1, …, z_L|x)

    Args:
        posterior: ``(x, noise, generative) -> (q, z)``, see :mod:`seatbelt_vae.models.posteriors`.
        generative: the prior over the layers.
        likelihood: ``z -> p(x|z)``, a :class:`~seatbelt_vae.models.generative.Decoder`.
        image_shape: (C, H, W).
        recipe: name and arguments of which :meth:`of` builds it again; None for a model that was put together by hand.

    Attributes:
        lipschitz: certified constants, see :mod:`seatbelt_vae.models.lipschitz`; None where there are none.

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> model = seatbelt_vae((1, 32, 32), latent_sizes=(8, 4), network="mlp").eval()
        >>> x = torch.rand(5, 1, 32, 32)
        >>> [q.loc.shape for q in model.encode(x)]
        [torch.Size([5, 8]), torch.Size([5, 4])]
        >>> model.reconstruct(x).shape
        torch.Size([5, 1, 32, 32])
    """

    lipschitz: Constants | None = None

    def __init__(
        self,
        posterior: nn.Module,
        generative: Generative,
        likelihood: nn.Module,
        *,
        image_shape: ImageShape,
        recipe: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.posterior = posterior
        self.generative = generative
        self.likelihood = likelihood
        self.image_shape = image_shape
        self.recipe = recipe

    @classmethod
    def of(cls, name: str, image_shape: Sequence[int], **settings: Any) -> Self:
        """Put a member of the lineage together; its weights are drawn from torch's generator.

        Args:
            name: a key of :data:`~seatbelt_vae.models.variants.VARIANTS`.
            image_shape: (C, H, W), sides of 28 to 128 pixels; any with modules of your own.
            settings: those of :class:`~seatbelt_vae.models.variants.Architecture`.

        Raises:
            InputError: an unknown name or setting, or settings that do not go together.
        """
        variant = variant_of(name)
        try:
            asked = Architecture(**settings)
        except TypeError as error:
            raise InputError(f"model {name!r}: {error}") from error
        shape = check_shape(image_shape)
        made_of = completed(name, asked, shape[0])
        sizes = made_of.latent_sizes or ()
        hidden = made_of.hidden_sizes or ()
        likelihood = str(made_of.likelihood)
        pixels = LIKELIHOODS[likelihood]()
        recipe = _recipe(variant.factory, shape, made_of)
        if made_of.constants:
            posterior, decoder = lipschitz_parts(shape, sizes[0], hidden, made_of.constants)
            model = cls(
                posterior, Generative(sizes, []), Decoder(decoder, pixels, True), image_shape=shape, recipe=recipe
            )
            model.lipschitz = certified(made_of.constants, likelihood)
            return model
        hidden = hidden + hidden[-1:] * (len(sizes) - len(hidden))
        seen = sum(sizes) if variant.sees_all else sizes[0]
        features, width, network = networks(made_of.network, shape, seen, pixels.maps_per_channel * shape[0])
        model = cls(
            POSTERIORS[str(made_of.posterior)](features, width, sizes, hidden),
            generative_of(sizes, hidden, variant.skips),
            Decoder(network, pixels, variant.sees_all),
            image_shape=shape,
            recipe=recipe,
        )
        return _as_made(model, features, network)

    @property
    def latent_sizes(self) -> tuple[int, ...]:
        """D_1 … D_L, bottom first."""
        return self.generative.latent_sizes

    def draw_noise(self, batch_size: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        """Standard normal (B, D_l) for each layer, on the model's device and in its dtype."""
        weight = next(self.parameters())
        device = weight.device
        if generator is not None:
            device = generator.device
        noise = []
        for size in self.latent_sizes:
            drawn = torch.randn(batch_size, size, generator=generator, device=device, dtype=weight.dtype)
            noise.append(drawn.to(weight.device))
        return tuple(noise)

    def forward(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> Encoding:
        """Encode, sample and decode images (B, C, H, W); fresh noise where none is given.

        Noise (B·S, D_l) makes S draws of each image, one after the other; the image is encoded once.
        """
        if noise is None:
            noise = self.draw_noise(len(x))
        q, z = self.posterior(x, noise, self.generative)
        return Encoding(q, z, self.generative(z), self.likelihood(z))

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Normal, ...]:
        """The posteriors of images (B, C, H, W), bottom first.

        Without noise the *means* are propagated through the hierarchy, so the answer is deterministic; with noise,
        one standard normal (B, D_l) per layer, z_l = loc + scale · noise_l is.
        """
        q: tuple[Normal, ...] = self.posterior(x, noise, self.generative)[0]
        return q

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        """p(x | z) for latents of every layer, bottom first: ``.mean`` (B, C, H, W), ``.log_prob(x)`` (B,) in nats."""
        distribution: Distribution = self.likelihood(z)
        return distribution

    def prior(self, z: Sequence[Tensor]) -> tuple[Normal, ...]:
        """The priors p(z_l | z_{>l}) at given samples, bottom first; the last is N(0, I)."""
        p: tuple[Normal, ...] = self.generative(z)
        return p

    @property
    def decoder_sees(self) -> str:
        """``all`` layers or the ``bottom`` one: what a latent attack has to change."""
        if getattr(self.likelihood, "sees_all", True):
            return "all"
        return "bottom"

    def reconstruct(self, x: Tensor) -> Tensor:
        """The mean image decoded from the posterior means, (B, C, H, W)."""
        return self.decode([q.mean for q in self.encode(x)]).mean

    def transform(self, images: Tensor | np.ndarray, batch_size: int = 256) -> np.ndarray:
        """The posterior means of images (N, C, H, W), all layers side by side, (N, D_1 + … + D_L); in evaluation mode.

        Example:
            >>> from seatbelt_vae.models import seatbelt_vae
            >>> model = seatbelt_vae((1, 32, 32), latent_sizes=(8, 4), network="mlp")
            >>> model.transform(np.zeros((5, 1, 32, 32))).shape
            (5, 12)
        """
        weight = next(self.parameters())
        found = []
        with evaluating(self), torch.no_grad():
            for batch in torch.as_tensor(images).split(batch_size):
                q = self.encode(batch.to(weight))
                found.append(torch.cat([layer.loc for layer in q], dim=1).cpu())
        return torch.cat(found).numpy()


def _recipe(name: str, shape: ImageShape, made_of: Architecture) -> dict[str, Any]:
    network = made_of.network
    if not isinstance(network, str):
        network = "custom"
    arguments: dict[str, Any] = {
        "image_shape": list(shape),
        "latent_sizes": list(made_of.latent_sizes or ()),
        "network": network,
        "likelihood": made_of.likelihood,
        "posterior": made_of.posterior,
        "hidden_sizes": list(made_of.hidden_sizes or ()),
    }
    if made_of.constants:
        arguments["constants"] = list(made_of.constants)
    return {"model": name, "arguments": arguments}


def _as_made(model: M, *own: nn.Module) -> M:
    """Take a model to the dtype and device of modules that were made before it."""
    for module in own:
        for weight in module.parameters():
            return model.to(weight.device, weight.dtype)
    return model
