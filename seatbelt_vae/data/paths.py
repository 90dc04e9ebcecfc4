"""Any path as a data set: an ``.npz`` file, or a folder of images."""

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.files import load_npz
from seatbelt_vae.data.folders import load_folder
from seatbelt_vae.data.options import Options
from seatbelt_vae.errors import InputError


def load_path(options: Options, *, crop: int | None = None, factor: str = "folder") -> ImageDataset:
    """Read the ``.npz`` file or the folder at ``options.path``.

    Args:
        options: path, and what a folder needs to know before it is read.
        crop: for a folder, side of the central square to cut out first.
        factor: for a folder, what its subfolders stand for.

    Raises:
        InputError: nothing is there, it is something else, or it cannot be read.
    """
    path = options.path
    if path is None:
        raise InputError("no path given")
    if path.is_dir():
        if options.sha256 is not None:
            raise InputError(f"{path}: sha256 is of a file; this is a folder")
        size, grey, count, seed = options.size, options.grey, options.count, options.seed
        return load_folder(path, size=size, grey=grey, count=count, seed=seed, crop=crop, factor=factor)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.suffix.lower() != ".npz":
        raise InputError(f"{path}: is neither an .npz file nor a folder of images")
    return load_npz(path, options.sha256)
