"""The one model class: a posterior, a generative prior and a likelihood. Variants are factories in ``zoo``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.models.generative import Generative
from seatbelt_vae.models.networks import ImageShape


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


class HierarchicalVAE(nn.Module):
    r"""A variational autoencoder with L ≥ 1 layers of latents, z_1 nearest the data.

    .. math:: p(x|z) \, p(z_L) \prod_{l<L} p(z_l|z_{>l}), \qquad q(z_1, …, z_L|x)

    Args:
        posterior: ``(x, noise, generative) -> (q, z)``, see :mod:`seatbelt_vae.models.posteriors`.
        generative: the prior over the layers.
        likelihood: ``z -> p(x|z)``, a :class:`~seatbelt_vae.models.generative.Decoder`.
        image_shape: (C, H, W).
        recipe: name and arguments of the factory that built it, which lets :meth:`save_pretrained` describe it.

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

    lipschitz: Any = None

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
        self.posterior, self.generative, self.likelihood = posterior, generative, likelihood
        self.image_shape, self.recipe = image_shape, recipe

    @property
    def latent_sizes(self) -> tuple[int, ...]:
        """D_1 … D_L, bottom first."""
        return self.generative.latent_sizes

    def draw_noise(self, batch_size: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        """Standard normal (B, D_l) for each layer, on the model's device and in its dtype."""
        weight = next(self.parameters())
        device = weight.device if generator is None else generator.device
        return tuple(
            torch.randn(batch_size, size, generator=generator, device=device, dtype=weight.dtype).to(weight.device)
            for size in self.latent_sizes
        )

    def forward(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> Encoding:
        """Encode, sample and decode images (B, C, H, W); fresh noise where none is given."""
        q, z = self.posterior(x, self.draw_noise(len(x)) if noise is None else noise, self.generative)
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
        return "all" if getattr(self.likelihood, "sees_all", True) else "bottom"

    def reconstruct(self, x: Tensor) -> Tensor:
        """The mean image decoded from the posterior means, (B, C, H, W)."""
        return self.decode([q.mean for q in self.encode(x)]).mean

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write ``config.json`` and ``model.safetensors``, of which :meth:`from_pretrained` makes the same model."""
        from seatbelt_vae.models.pretrained import save

        return save(self, folder)

    @classmethod
    def from_pretrained(cls, folder_or_hub_id: str | Path, **networks: Any) -> Self:
        """Rebuild a saved model, from a folder or from a repository of the Hugging Face hub.

        Args:
            folder_or_hub_id: a folder that :meth:`save_pretrained` wrote, or ``owner/name``.
            networks: ``network=(encoder, decoder)`` where the model was made with modules of your own.

        Raises:
            InputError: nothing there, or the files are not of a model of this library.
        """
        from seatbelt_vae.models.pretrained import load

        model = load(folder_or_hub_id, **networks)
        assert isinstance(model, cls)
        return model
