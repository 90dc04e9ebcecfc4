"""Chairs: 1393 CAD models seen from 62 views, in grey as the paper uses them.

References:
    Aubry, Maturana, Efros, Russell and Sivic 2014, Seeing 3D chairs: exemplar part-based 2D-3D alignment.
"""

from dataclasses import replace

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the unpacked folder: one subfolder a chair, whose splits keep the chairs apart."""
    chairs = load_path(replace(options, grey=True), factor="model")
    hold_out = "model" if "model" in chairs.factor_names else chairs.hold_out
    return replace(chairs, name="chairs", hold_out=hold_out).grey()


CHAIRS = Original(
    "renders of chair models (Aubry et al. 2014), grey; splits keep the models apart (needs path=)",
    "chairs: needs path=FOLDER, where rendered_chairs.tar is unpacked (from https://www.di.ens.fr/willow/research/"
    "seeing3Dchairs/data/rendered_chairs.tar: 1393 models × 62 views), or path=FILE.npz with the key 'images'",
    read,
)
