"""Results as notebooks show them: their text, a small table, pictures side by side. No script, all words escaped."""

from collections.abc import Mapping, Sequence
from html import escape

from torch import Tensor
from torch.nn.functional import avg_pool2d

from seatbelt_vae.pixels import data_uri, pixels, unit

ROWS = 2
"""Rows of pictures."""

COLUMNS = 4
"""Values of a budget that are shown."""

LARGEST = 128
"""Pixels of a side."""

WIDTH = 96
"""Of a picture on the screen, in points; its own pixels stay sharp."""


def rich(
    text: str,
    numbers: Mapping[str, Sequence[str]] | None = None,
    pictures: Mapping[str, Tensor] | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> str:
    """Write a result as HTML.

    Args:
        text: what `print` shows of it.
        numbers: columns of a table by their heads.
        pictures: images (P, C, H, W) by what they show; the first `ROWS` of each. No volumes, no signals.
        bounds: of the images.

    Example:
        >>> rich("a < b", {"λ": ["1"]})
        '<pre>a &lt; b</pre><table><tr><th>λ</th></tr><tr><td>1</td></tr></table>'
    """
    parts = [f"<pre>{escape(text)}</pre>"]
    if numbers:
        columns = {head: [escape(word) for word in column] for head, column in numbers.items()}
        parts.append(_table(columns))
    if pictures and all(map(_drawable, pictures.values())):
        columns = {head: [_picture(image, bounds) for image in images[:ROWS]] for head, images in pictures.items()}
        parts.append(_table(columns))
    return "".join(parts)


def spread(count: int, most: int = COLUMNS) -> list[int]:
    """Some of the places 0 … count − 1, the first and the last among them.

    Example:
        >>> spread(49), spread(2)
        ([0, 16, 32, 48], [0, 1])
    """
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def _table(columns: Mapping[str, Sequence[str]]) -> str:
    """Columns of HTML by their heads, which are words."""
    heads = "".join(f"<th>{escape(head)}</th>" for head in columns)
    rows = [f"<tr>{heads}</tr>"]
    for cells in zip(*columns.values(), strict=True):
        inside = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f"<tr>{inside}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _drawable(images: Tensor) -> bool:
    return images.dim() == 4 and images.shape[1] in (1, 3)


def _picture(image: Tensor, bounds: tuple[float, float]) -> str:
    """One image (C, H, W), smaller where it is large; a value that is none is 0."""
    times = -(-max(image.shape) // LARGEST)
    small = avg_pool2d(image.nan_to_num(), times)
    seen = pixels(unit(small, bounds))
    return f'<img src="{data_uri(seen)}" width="{WIDTH}" style="image-rendering: pixelated">'
