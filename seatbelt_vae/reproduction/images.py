"""The images of a reproduction, and what recipes need to know of them."""

from dataclasses import dataclass
from pathlib import Path

import torch

from seatbelt_vae.data import ImageDataset, draw_pairs
from seatbelt_vae.experiments.images import open_data
from seatbelt_vae.reproduction.paper import kind_of_data
from seatbelt_vae.reproduction.scales import Scale


@dataclass(frozen=True)
class Images:
    """A set of images.

    Attributes:
        name: a name of data, or a path.
        factors: whether it says what generated each image.
        distance: median ‖x − x_t‖ of the pairs that are attacked.
    """

    name: str
    factors: bool = True
    distance: float = 1.0

    @classmethod
    def read(cls, name: str, scale: Scale) -> "Images":
        """Look at some data.

        Raises:
            InputError: they cannot be read.
        """
        spec = scale.data(name)
        dataset = open_data(spec)
        pairs = draw_pairs(dataset.split(spec.test, spec.seed).test, "test", scale.pairs, 0)
        norms = torch.linalg.vector_norm(pairs.source - pairs.target, dim=(1, 2, 3))
        return cls(name, has_factors(dataset), float(f"{norms.median():.4g}"))

    @property
    def label(self) -> str:
        """What tables call it.

        Example:
            >>> Images("sprites").label, Images("/data/chairs.npz").label
            ('sprites', 'chairs')
        """
        return Path(self.name).stem

    @property
    def kind(self) -> str:
        """Which of the paper's data sets it is; its label where none."""
        return kind_of_data(self.label)

    def radius(self, share: float) -> float:
        """A share of the median distance, rounded as files write it.

        Example:
            >>> Images("sprites", distance=8.0).radius(0.025)
            0.2
        """
        return float(f"{share * self.distance:.4g}")

    def absolute(self, key: str) -> str:
        """A measure's key with its radius in the units of the data.

        Example:
            >>> images = Images("sprites", distance=8.0)
            >>> images.absolute("damage@2.5%"), images.absolute("noise_drop@0.5")
            ('damage@0.2', 'noise_drop@0.5')
        """
        name, _, place = key.partition("@")
        if not place.endswith("%"):
            return key
        return f"{name}@{self.radius(float(place[:-1]) / 100):g}"


def has_factors(dataset: ImageDataset) -> bool:
    """Whether any factor varies."""
    if dataset.factors is None:
        return False
    return any(len(column.unique()) > 1 for column in dataset.factors.T)
