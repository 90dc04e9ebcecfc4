"""How each original data set is read from what its authors publish, or where to get that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.prepared import find_prepared
from seatbelt_vae.data.stream import ImageStream
from seatbelt_vae.errors import InputError


@dataclass(frozen=True)
class Download:
    """A published file that may be fetched by anyone.

    Attributes:
        url: where it is.
        checksum: ``md5:…`` or ``sha256:…``.
    """

    url: str
    checksum: str


@dataclass(frozen=True)
class Original:
    """A published data set.

    Attributes:
        name: its name.
        description: one line on what it holds.
        instructions: how a user gets it, and which path to give; one line without a full stop.
        read: reads it from ``options.path``; whatever options it does not honour are applied afterwards.
        archive: reads what its authors publish, image by image, at a size (None for its usual one), where the path is
            that; else gives None. Its files' checksums are looked at if the last argument says so.
        packed: suffix of an archive that only `archive` reads; "" where there is none.
        download: where to fetch it, if that needs no agreement.
    """

    name: str
    description: str
    instructions: str
    read: Callable[[Options], ImageDataset]
    archive: Callable[[Path, int | None, bool], ImageStream | None] = lambda path, size, check: None
    packed: str = ""
    download: Download | None = None

    def load(self, options: Options) -> ImageDataset:
        """Read the data set: as it was prepared, or from a path; or say how to get it.

        Raises:
            InputError: no path was given and nothing was prepared, what lies there cannot be read, or it is an archive
                that is to be prepared first.
        """
        if options.path is None:
            if (prepared := find_prepared(self.name)) is not None and options.sha256 is None:
                return prepared
            raise InputError(f"{self.instructions}. To read it once for all: seatbelt data prepare {self.name}")
        if self.packed and options.path.suffix.lower() == self.packed and options.path.is_file():
            raise InputError(
                f"{options.path}: is to be read once for all with: seatbelt data prepare {self.name} "
                f"--source {options.path}; then leave the path out"
            )
        return self.read(options)
