"""The original dSprites file (737 280 images, 3 GB in memory); `sprites` draws the same without it.

References:
    Matthey, Higgins, Hassabis and Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset (Apache-2.0).
"""

import torch

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.files import check_checksum, images_from_array, read_arrays
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.sprites import FACTOR_NAMES, FACTOR_SIZES
from seatbelt_vae.errors import InputError

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"


def read(options: Options) -> ImageDataset:
    """Read ``imgs`` and ``latents_classes`` of the original file, or ``images`` of any other ``.npz`` or folder.

    Its key ``metadata`` is pickled and stays unread; the factor colour has one value and is left out.
    """
    path = options.path
    if path is None or path.suffix.lower() != ".npz" or not path.is_file():
        return load_path(options)
    arrays = read_arrays(path, ("imgs", "latents_classes"))
    if "imgs" not in arrays:
        return load_path(options)
    check_checksum(path, options.sha256)
    classes = arrays.get("latents_classes")
    if classes is None or classes.shape != (len(arrays["imgs"]), 6):
        raise InputError(f"{path}: latents_classes must have shape ({len(arrays['imgs'])}, 6), as in {FILE}")
    return ImageDataset(
        images_from_array(arrays["imgs"], str(path)),
        factors=torch.from_numpy(classes[:, 1:]).long().contiguous(),
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="dsprites",
    )


DSPRITES = Original(
    "the original dSprites file: 737 280 images 64×64, black and white, 5 factors (needs path=)",
    f"dsprites: needs path=FILE, the file {FILE} from https://github.com/google-deepmind/dsprites-dataset; "
    "or use 'sprites', the same images drawn without a download",
    read,
)
