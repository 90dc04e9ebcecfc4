"""A VAE as a transformer of scikit-learn: fit on images, transform to latents."""

from typing import Self

import numpy as np
import torch

from seatbelt_vae.data import as_dataset
from seatbelt_vae.errors import missing
from seatbelt_vae.models import HierarchicalVAE, build
from seatbelt_vae.objectives import ELBO, Objective
from seatbelt_vae.training.loop import train

try:
    from sklearn.base import BaseEstimator, TransformerMixin
except ImportError as error:
    raise missing("VAETransformer", "scikit-learn", "measure") from error


class VAETransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Images (N, C, H, W) in [0, 1] to posterior means (N, D), in a `Pipeline` or alone.

    Args:
        model: a name of :data:`~seatbelt_vae.models.VARIANTS`.
        latent_sizes: D_1 … D_L, bottom first; None for the model's own.
        objective: what is trained; None for the ELBO.
        steps: number of updates.
        batch_size: examples an update.
        seed: of the weights, the batches and the noise.
        device: "auto", "cpu", "cuda" or "mps".

    Attributes:
        model_: the trained model, after `fit`.

    Example:
        >>> images = np.random.default_rng(0).random((16, 1, 28, 28), dtype=np.float32)
        >>> vae = VAETransformer(latent_sizes=(3,), steps=2, batch_size=8, device="cpu")
        >>> vae.fit_transform(images).shape
        (16, 3)
    """

    model_: HierarchicalVAE

    def __init__(
        self,
        model: str = "vae",
        latent_sizes: tuple[int, ...] | None = None,
        objective: Objective | None = None,
        steps: int = 1000,
        batch_size: int = 128,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.model = model
        self.latent_sizes = latent_sizes
        self.objective = objective
        self.steps = steps
        self.batch_size = batch_size
        self.seed = seed
        self.device = device

    def fit(self, X: np.ndarray, y: object = None) -> Self:
        """Train a new model on images; `y` is ignored.

        Raises:
            InputError: images of the wrong shape, range or dtype, or a setting out of range.
        """
        dataset = as_dataset(X)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            model = build(self.model, dataset.image_shape, latent_sizes=self.latent_sizes)
        result = train(
            model,
            dataset,
            self.objective or ELBO(),
            steps=self.steps,
            batch_size=self.batch_size,
            seed=self.seed,
            device=self.device,
        )
        self.model_ = result.model
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Posterior means, all layers side by side, (N, D).

        Raises:
            NotFittedError: `fit` was not called.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        return self.model_.transform(X)
