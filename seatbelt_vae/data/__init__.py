"""Images to learn from and to attack: drawn sprites, files, folders and the paper's data sets."""

from seatbelt_vae.data.dataset import ImageDataset, Split
from seatbelt_vae.data.load import available, load_dataset
from seatbelt_vae.data.objects import as_dataset
from seatbelt_vae.data.pairs import Pairs, draw_pairs, pairs, rotated_hearts
from seatbelt_vae.data.prepare import prepare
from seatbelt_vae.data.prepared import data_folder, find_prepared
from seatbelt_vae.data.sheet import contact_sheet, describe
from seatbelt_vae.data.source import ImageSource
from seatbelt_vae.data.sprites import draw_sprites, sprite_index

__all__ = [
    "ImageDataset",
    "ImageSource",
    "Pairs",
    "Split",
    "as_dataset",
    "available",
    "contact_sheet",
    "data_folder",
    "describe",
    "draw_pairs",
    "draw_sprites",
    "find_prepared",
    "load_dataset",
    "pairs",
    "prepare",
    "rotated_hearts",
    "sprite_index",
]
