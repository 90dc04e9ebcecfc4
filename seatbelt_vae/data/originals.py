"""How each original data set is read from what its authors publish, or where to get that."""

from collections.abc import Callable
from dataclasses import dataclass

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.errors import InputError


@dataclass(frozen=True)
class Original:
    """A published data set.

    Attributes:
        description: one line on what it holds.
        instructions: how a user gets it, and which path to give; one line.
        read: reads it from ``options.path``; whatever options it does not honour are applied afterwards.
    """

    description: str
    instructions: str
    read: Callable[[Options], ImageDataset]

    def load(self, options: Options) -> ImageDataset:
        """Read the data set, or say how to get it.

        Raises:
            InputError: no path was given, or what lies there cannot be read.
        """
        if options.path is None:
            raise InputError(self.instructions)
        return self.read(options)
