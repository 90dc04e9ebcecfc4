"""How each original data set is read from what its authors publish, or where to get that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.prepared import find_prepared
from seatbelt_vae.errors import InputError


@dataclass(frozen=True)
class Archive:
    """What the authors of a data set publish, opened.

    Attributes:
        dataset: its images are made when asked for, fastest in order.
        files: what it was read from.
        notes: what is worth saying about it, a line each.
    """

    dataset: ImageDataset
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def no_archive(path: Path, size: int | None) -> Archive | None:
    """Take no path for an archive."""
    return None


@dataclass(frozen=True)
class Original:
    """A published data set.

    Attributes:
        name: its name.
        description: one line on what it holds.
        instructions: how a user gets it, and which path to give; one line without a full stop.
        read: reads it from ``options.path``; whatever options it does not honour are applied afterwards.
        archive: opens what its authors publish, at a size (None for its usual one), where the path is that.
        packed: suffix of an archive that is to be prepared first; "" where there is none.
        url: where anyone may fetch it; "" where that needs an agreement.
    """

    name: str
    description: str
    instructions: str
    read: Callable[[Options], ImageDataset]
    archive: Callable[[Path, int | None], Archive | None] = no_archive
    packed: str = ""
    url: str = ""

    def load(self, options: Options) -> ImageDataset:
        """Read the data set: as it was prepared, or from a path; or say how to get it."""
        path = options.path
        if path is None:
            return self._prepared(options)
        if self.packed and path.suffix.lower() == self.packed and path.is_file():
            raise InputError(
                f"{path}: is to be read once for all with: seatbelt data prepare {self.name} "
                f"--source {path}; then leave the path out"
            )
        return self.read(options)

    def _prepared(self, options: Options) -> ImageDataset:
        prepared = find_prepared(self.name)
        if prepared is None or options.sha256 is not None:
            raise InputError(f"{self.instructions}. To read it once for all: seatbelt data prepare {self.name}")
        return prepared
