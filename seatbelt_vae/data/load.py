"""One way in: a name or a path, and what to do with the images."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from seatbelt_vae.data.checksums import check_checksum
from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.objects import as_dataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.prepare import ORIGINALS
from seatbelt_vae.data.reading import as_path, one_line
from seatbelt_vae.data.sprites import sprites
from seatbelt_vae.errors import InputError

SPRITES = "dSprites drawn from its geometry: 737 280 images 64×64, black and white, 5 factors; no download"
NAMES = ("sprites", *ORIGINALS)
FILES = {"3dshapes": "give the path of 3dshapes.h5, from https://github.com/google-deepmind/3d-shapes"}
"""Data sets that have no name here: how to open them."""


def load_dataset(name_or_path: Any, **options: Any) -> ImageDataset:
    """Load a data set by its name, from an ``.npz`` or HDF5 file, from a folder of images, or from memory.

    Args:
        name_or_path: ``sprites`` (drawn, needs nothing); ``dsprites``, ``chairs``, ``faces3d`` or ``celeba``
            (originals: as `prepare` kept them, or with ``path=``); or a path. An ``.npz`` needs the key ``images``. Or
            images in memory: an array, a torch ``Dataset``, a Hugging Face ``Dataset``; see
            :func:`~seatbelt_vae.data.objects.as_dataset`.
        **options: ``path``: where an original lies.
            ``size``: side in pixels, or height and width (default: as stored; pictures of several sizes: 64).
            ``grey``: True turns colour into grey.
            ``count``, ``seed``: that many images, drawn without replacement (``seed`` 0).
            ``bounds``: ``(0, 1)``, the default, or ``(-1, 1)``.
            ``hold_out``: the factor whose values splits keep apart; ``"none"`` splits at random.
            ``sha256``: what the file's checksum must be.

    Returns:
        The data set.

    Raises:
        InputError: unknown name or option, or something that cannot be read: one line that says what would be right.

    Example:
        >>> data = load_dataset("sprites", count=100, size=32)
        >>> len(data), data.image_shape, data.factor_names
        (100, (1, 32, 32), ('shape', 'scale', 'orientation', 'x', 'y'))
    """
    _check_names(options)
    asked = Options(**options)
    if not isinstance(name_or_path, str | Path):
        return asked.apply(as_dataset(name_or_path, asked))
    if name_or_path in ORIGINALS:
        dataset = _load_original(str(name_or_path), asked)
    elif asked.path is not None:
        raise InputError(f"path={asked.path}: only {', '.join(ORIGINALS)} take a path, not {one_line(name_or_path)}")
    elif name_or_path == "sprites":
        if asked.sha256 is not None:
            raise InputError("sha256: is of a file; sprites are drawn")
        dataset = sprites()
    else:
        _check_guess(name_or_path)
        path = as_path(name_or_path)
        check_checksum(path, asked.sha256)
        dataset = load_path(replace(asked, path=path))
    return asked.apply(dataset)


def available() -> list[tuple[str, str]]:
    """List the names that `load_dataset` knows, each with one line on what it is."""
    known = [("sprites", SPRITES)]
    for name, original in ORIGINALS.items():
        known.append((name, original.description))
    return known


def _load_original(name: str, options: Options) -> ImageDataset:
    if options.path is not None:
        path = as_path(options.path)
        check_checksum(path, options.sha256)
        options = replace(options, path=path)
    return ORIGINALS[name].load(options)


def _check_guess(word: str | Path) -> None:
    """Refuse a word that looks like a name and is none."""
    if word == "":
        raise InputError(f"data set: a name or a path is needed; names: {', '.join(NAMES)}")
    if not isinstance(word, str) or os.path.exists(word):
        return
    if Path(word).name == word and not Path(word).suffix:
        hint = FILES.get(word.lower())
        if hint is not None:
            raise InputError(f"{word}: no such data set or file; {hint}")
        raise InputError(f"{one_line(word)}: no such data set or file{_guess(word, NAMES)}")


def _check_names(options: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            raise InputError(f"{one_line(name)}: no such option of a data set{_guess(name, known)}")


def _guess(word: str, known: Sequence[str]) -> str:
    names = ", ".join(known)
    near = difflib.get_close_matches(word.lower(), known, n=1)
    if near:
        return f"; did you mean {near[0]!r}? (known: {names})"
    return f"; known: {names}"
