"""One way in: a name or a path, and what to do with the images."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.prepare import ORIGINALS
from seatbelt_vae.data.sprites import sprites
from seatbelt_vae.errors import InputError

SPRITES = "dSprites drawn from its geometry: 737 280 images 64×64, black and white, 5 factors; no download"
NAMES = ("sprites", *ORIGINALS)


def load_dataset(name_or_path: str | Path, **options: Any) -> ImageDataset:
    """Load a data set by its name, or from an ``.npz`` file or a folder of images.

    Args:
        name_or_path: ``sprites`` (drawn, needs nothing); ``dsprites``, ``chairs``, ``faces3d`` or ``celeba``
            (originals: as `prepare` kept them, or with ``path=``); or a path. An ``.npz`` needs the key ``images``.
        **options: ``path``: where an original lies.
            ``size``: side in pixels (default: as stored; a folder of pictures of several sizes: 64).
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
    if asked.path is not None:
        asked = replace(asked, path=Path(asked.path).expanduser())
    return asked.apply(_read(name_or_path, asked))


def available() -> list[tuple[str, str]]:
    """List the names that `load_dataset` knows, each with one line on what it is."""
    return [("sprites", SPRITES), *((name, original.description) for name, original in ORIGINALS.items())]


def _read(name_or_path: str | Path, options: Options) -> ImageDataset:
    if name_or_path in ORIGINALS:
        return ORIGINALS[str(name_or_path)].load(options)
    if options.path is not None:
        raise InputError(f"path={options.path}: only {', '.join(ORIGINALS)} take a path, not {name_or_path}")
    if name_or_path == "sprites":
        if options.sha256 is not None:
            raise InputError("sha256: is of a file; sprites are drawn")
        return sprites()
    if name_or_path == "":
        raise InputError(f"data set: a name or a path is needed; names: {', '.join(NAMES)}")
    path = Path(name_or_path).expanduser()
    if isinstance(name_or_path, str) and _is_name(name_or_path, path):
        raise InputError(f"{name_or_path}: no such data set or file{_guess(name_or_path, NAMES)}")
    return load_path(replace(options, path=path))


def _is_name(text: str, path: Path) -> bool:
    return not path.exists() and path.name == text and not path.suffix


def _check_names(options: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            raise InputError(f"{name}: no such option of a data set{_guess(name, known)}")


def _guess(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{hint} (known: {', '.join(known)})" if hint else f"; known: {', '.join(known)}"
