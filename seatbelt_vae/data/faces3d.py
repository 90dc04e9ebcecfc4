"""3D faces: renders of a morphable face model over identity, azimuth, elevation and light.

References:
    Paysan, Knothe, Amberg, Romdhani and Vetter 2009, A 3D Face Model for Pose and Illumination Invariant Face
    Recognition; the layout of the renders is that of Chen et al. 2018, Isolating Sources of Disentanglement in VAEs.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.reading import reading
from seatbelt_vae.errors import InputError

FACTOR_NAMES = ("identity", "azimuth", "elevation", "light")
FACTOR_SIZES = (50, 21, 11, 11)


def read(options: Options) -> ImageDataset:
    """Read ``basel_face_renders.pth`` (tensors only, nothing unpickled), an ``.npz`` or a folder; grey."""
    path = options.path
    assert path is not None
    if path.is_dir() or path.suffix.lower() not in (".pth", ".pt"):
        return replace(load_path(options), name="faces3d").grey()
    images = _read_tensor(path)
    grids = [torch.arange(size) for size in FACTOR_SIZES]
    factors = torch.cartesian_prod(*grids)
    side = images.shape[-1]
    if images.numel() != len(factors) * side * side or not side:
        raise InputError(f"{path}: has shape {tuple(images.shape)}; it must hold 50×21×11×11 square images")
    return ImageDataset(
        images.reshape(-1, 1, side, side),
        factors=factors,
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="faces3d",
        hold_out="identity",
    )


def _read_tensor(path: Path) -> Tensor:
    with reading(path, "a tensor file"):
        images = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.ndim < 3:
        raise InputError(f"{path}: must hold one uint8 tensor of images")
    plain = images.layout == torch.strided and images.device.type == "cpu"
    if not plain or not images.is_contiguous():  # else a byte may pass for any number of images
        raise InputError(f"{path}: must hold one plain, contiguous tensor of images")
    return images


FACES3D = Original(
    "faces3d",
    "renders of 3D face models: identity, azimuth, elevation, light; grey; splits keep faces apart (needs path=)",
    "faces3d: needs path=FILE, basel_face_renders.pth (renders of the Basel Face Model as github.com/rtqichen/"
    "beta-tcvae lays them out: uint8, 50×21×11×11 images), or an .npz with the key 'images'",
    read,
)
