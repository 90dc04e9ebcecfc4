"""Any path as a data set: an ``.npz`` file, an HDF5 file, or a folder of images."""

from seatbelt_vae.data import hdf5
from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.folders import load_folder
from seatbelt_vae.data.npz import load_npz
from seatbelt_vae.data.options import Options
from seatbelt_vae.errors import InputError


def load_path(options: Options, *, crop: int | None = None, factor: str = "folder") -> ImageDataset:
    """Read the file or the folder at ``options.path``."""
    path = options.path
    assert path is not None
    if path.is_dir():
        return load_folder(path, options, crop=crop, factor=factor)
    suffix = path.suffix.lower()
    if path.is_file() and suffix == ".npz":
        return load_npz(path)
    if path.is_file() and suffix in hdf5.SUFFIXES:
        return hdf5.load_hdf5(path)
    raise InputError(f"{path}: is neither an .npz file nor a folder of images, nor HDF5 (.h5)")
