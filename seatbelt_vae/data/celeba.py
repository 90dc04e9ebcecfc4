"""CelebA: 202 599 photographs of faces, cropped to the central 148 pixels and resized as is the custom.

References:
    Liu, Luo, Wang and Tang 2015, Deep Learning Face Attributes in the Wild (non-commercial research only).
"""

from dataclasses import replace

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path

CROP = 148


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the folder of aligned photographs."""
    return replace(load_path(options, crop=CROP), name="celeba")


CELEBA = Original(
    "photographs of faces (Liu et al. 2015), colour, central crop 148 to 64×64 (needs path=)",
    "celeba: needs path=FOLDER, where img_align_celeba.zip is unpacked (from https://mmlab.ie.cuhk.edu.hk/projects/"
    "CelebA.html, 202599 pictures of 178×218), or path=FILE.npz with the key 'images'",
    read,
)
