"""What is measured: a model, its data, and what several measurements share, computed once."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae import metrics
from seatbelt_vae.data import ImageDataset, Split
from seatbelt_vae.experiments.evaluation.settings import EvaluationSettings
from seatbelt_vae.models import HierarchicalVAE

CHUNK = 256
"""Images at a time."""


@dataclass(frozen=True)
class Subject:
    """A trained model, the images it learnt from and those it has not seen, and what has been computed of them.

    Attributes:
        model: on the device where to compute.
        split: its training and test data.
        settings: how exactly to measure.
        training_seconds: what the training took.
        progress: show bars on stderr.
    """

    model: HierarchicalVAE
    split: Split
    settings: EvaluationSettings
    training_seconds: float = 0.0
    progress: bool = False

    @property
    def test(self) -> ImageDataset:
        """The images that the model has not seen."""
        return self.split.test

    @property
    def train(self) -> ImageDataset:
        """The images that it learnt from; all of them, for what is about the aggregate posterior."""
        return self.split.train

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def has_factors(self) -> bool:
        """Whether it is known what generated each image, and at least one such factor varies."""
        factors = self.train.factors
        return factors is not None and any(len(column.unique()) > 1 for column in factors.T)

    @property
    def factors(self) -> Tensor:
        """What generated the training images, (N, F)."""
        assert self.train.factors is not None
        return self.train.factors

    @cached_property
    def bound(self) -> metrics.EvidenceBound:
        """The ELBO of the test images."""
        settings = self.settings
        return metrics.elbo(self.model, self.test, settings.samples, seed=settings.seed, progress=self.progress)

    @cached_property
    def test_posteriors(self) -> tuple[Normal, ...]:
        """Posteriors of the test images along the means, bottom first."""
        return metrics.encode_images(self.model, self.test)

    @cached_property
    def aggregate(self) -> Normal:
        """Posteriors of the top layer of all training images, each at a sample of the layer below."""
        return metrics.encode_images(self.model, self.train, seed=self.settings.seed, progress=self.progress)[-1]

    @cached_property
    def codes(self) -> Tensor:
        """Posterior means of the top layer of all training images, (N, D)."""
        return metrics.encode_images(self.model, self.train, progress=self.progress)[-1].loc

    @cached_property
    def reconstructions(self) -> Tensor:
        """Mean images decoded from the posterior means of the test images, on the CPU."""
        means = []
        with torch.no_grad():
            for start in range(0, len(self.test), CHUNK):
                images = self.test[start : start + CHUNK].to(self.device)
                means.append(self.model.reconstruct(images).cpu())
        return torch.cat(means)
