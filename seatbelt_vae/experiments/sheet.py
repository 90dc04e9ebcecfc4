"""A contact sheet of a data set in a file."""

import io
from pathlib import Path

from seatbelt_vae.data import ImageDataset, contact_sheet
from seatbelt_vae.storage import write_bytes


def write_sheet(dataset: ImageDataset, path: str | Path, count: int = 50, seed: int = 0) -> Path:
    """Draw some images of a data set side by side, as PNG.

    Args:
        dataset: where to draw from.
        path: where to write.
        count: how many images; all if there are fewer.
        seed: of the draw.

    Returns:
        The path.

    Raises:
        RunError: the file cannot be written.
    """
    drawn = dataset.sample(min(count, len(dataset)), seed)
    buffer = io.BytesIO()
    contact_sheet(drawn.images[:]).save(buffer, format="PNG")
    return write_bytes(path, buffer.getvalue())
