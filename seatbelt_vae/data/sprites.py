r"""DSprites drawn from its geometry: no download, and no more held than was asked for.

White shapes on black, 64×64 pixels, centred at 16 + 32·(x, y) pixels and turned by θ. With

.. math:: u = (a \cos θ − b \sin θ), \quad v = (a \sin θ + b \cos θ), \quad
   (a, b) = (\text{pixel centre} − \text{shape centre}) / \text{scale}

a pixel is white where it lies in the outline: square :math:`|u|, |v| \le 9.6`; ellipse
:math:`(u/12.76)^2 + (v/7.21)^2 \le 1`; heart :math:`\sqrt{u^2 + v^2} \le r(|\mathrm{atan2}(u, −v)|)`, with r linear
between 37 measured radii. Against 112 images of the original, 88 are equal to the pixel, 105 within one pixel of
4096 and 111 within four; an edge that runs along a row of pixel centres cost the last one seven. (Semi-axes of 12.75
and 7.2 get 13 pixels of the 33 ellipses wrong, these two.)

References:
    Matthey, Higgins, Hassabis and Lerchner 2017, dSprites: Disentanglement testing Sprites dataset.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.source import ImageSource, digest_of
from seatbelt_vae.errors import InputError

SIZE = 64
SHAPES = ("square", "ellipse", "heart")
FACTOR_NAMES = ("shape", "scale", "orientation", "x", "y")
FACTOR_SIZES = (3, 6, 40, 32, 32)

HALF_SIDE = 9.6
SEMI_AXES = (12.76, 7.21)
# fmt: off
HEART_RADII = (  # at 37 angles from 0 (the notch) to π (the tip)
    5.0382, 6.6998, 7.9359, 8.9356, 9.7404, 10.3251, 10.7091, 11.0119, 11.2338, 11.3292, 11.2273, 11.1434, 10.9217,
    10.5176, 10.1659, 9.6475, 9.1712, 8.5951, 8.0664, 7.6897, 7.1536, 6.8398, 6.4802, 6.3175, 6.1044, 6.0939, 5.8086,
    5.8579, 5.9111, 5.9842, 6.1742, 6.2243, 6.5030, 6.9046, 7.3749, 8.0506, 9.4349,
)
# fmt: on

_CHUNK = 128  # sprites drawn at a time: their patches fit the cache
_RADII = torch.tensor(HEART_RADII, dtype=torch.float64)
_SLOPES = torch.diff(_RADII)


@dataclass(frozen=True)
class Outline:
    """A shape at scale 1: how far it reaches from its centre in pixels, and whether (u, v) lies in it."""

    reach: float
    contains: Callable[[Tensor, Tensor], Tensor]


def _in_square(u: Tensor, v: Tensor) -> Tensor:
    return torch.maximum(u.abs(), v.abs()) <= HALF_SIDE


def _in_ellipse(u: Tensor, v: Tensor) -> Tensor:
    return (u / SEMI_AXES[0]).square() + (v / SEMI_AXES[1]).square() <= 1


def _in_heart(u: Tensor, v: Tensor) -> Tensor:
    angle = torch.atan2(u, -v).abs() * (len(_SLOPES) / math.pi)  # in steps of the table
    step = angle.long().clamp_(max=len(_SLOPES) - 1)
    radius = _RADII[step] + _SLOPES[step] * (angle - step)
    return u.square() + v.square() <= radius.square()


OUTLINES = (
    Outline(HALF_SIDE * math.sqrt(2), _in_square),
    Outline(max(SEMI_AXES), _in_ellipse),
    Outline(max(HEART_RADII), _in_heart),
)


def draw_sprites(shape: Tensor, scale: Tensor, orientation: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Draw sprites of any pose, also between the grid's.

    Args:
        shape: 0 square, 1 ellipse, 2 heart; (B,).
        scale: 1 is the largest, above 0; (B,).
        orientation: angle θ in radians; (B,).
        x: position from the left, 0 to 1; (B,).
        y: position from the top, 0 to 1; (B,).

    Returns:
        uint8, 0 or 255, (B, 1, 64, 64).

    Raises:
        InputError: a shape, scale or position lies outside its range.

    Example:
        >>> half = torch.tensor([0.5])
        >>> square = draw_sprites(torch.tensor([0]), torch.tensor([1.0]), torch.tensor([0.0]), half, half)
        >>> int(square.count_nonzero())  # the pixels whose centres lie in a square of side 19.2
        400
    """
    _check_pose(shape, scale, x, y)
    pose = torch.stack([scale.double(), orientation.double(), x.double(), y.double()])
    images = torch.zeros(len(shape) * SIZE * SIZE, dtype=torch.uint8)
    for kind, outline in enumerate(OUTLINES):
        for rows in (shape == kind).nonzero().squeeze(1).split(_CHUNK):
            place, white = _draw(outline, *pose[:, rows])
            images.scatter_(0, (SIZE * SIZE * rows.unsqueeze(1) + place).view(-1), white.view(-1))
    return images.view(-1, 1, SIZE, SIZE)


def _draw(outline: Outline, scale: Tensor, orientation: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one shape in many poses, looking only at the patch of P pixels that it can reach.

    Gives the pixels' places in the image, int64 (B, P), and their values, uint8 (B, P).
    """
    width = math.floor(2 * outline.reach) + 1
    steps = torch.arange(width)
    left, a = _patch(16 + 32 * x, outline.reach, steps, scale)
    top, b = _patch(16 + 32 * y, outline.reach, steps, scale)
    c, s = orientation.cos().unsqueeze(1), orientation.sin().unsqueeze(1)
    u = (c * a).unsqueeze(1) - (s * b).unsqueeze(2)
    v = (s * a).unsqueeze(1) + (c * b).unsqueeze(2)
    place = (SIZE * top + left).unsqueeze(1) + (SIZE * steps.unsqueeze(1) + steps).flatten()
    return place, outline.contains(u, v).flatten(1).byte().mul_(255)


def _patch(centre: Tensor, reach: float, steps: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Find the first pixel (B,) whose centre may be white, and the pixels' offsets from the shape's centre (B, P)."""
    first = (centre - reach - 0.5).ceil()
    return first.long(), ((first - centre).unsqueeze(1) + (steps + 0.5)) / scale.unsqueeze(1)


def _check_pose(shape: Tensor, scale: Tensor, x: Tensor, y: Tensor) -> None:
    _check_range("shape", shape, 0, 2)
    _check_range("scale", scale, 1e-3, 1)
    _check_range("x", x, 0, 1)
    _check_range("y", y, 0, 1)


def _check_range(name: str, value: Tensor, low: float, high: float) -> None:
    inside = (value >= low) & (value <= high)
    if not bool(inside.all()):
        raise InputError(f"sprites: {name} must lie between {low} and {high}")


class SpriteImages(ImageSource):
    """All 737 280 images of dSprites in its own order (shape, scale, orientation, x, y; last fastest), drawn on demand.

    Example:
        >>> sprites = SpriteImages()
        >>> sprites.shape, sprites[[0, 737279]].shape
        ((737280, 1, 64, 64), torch.Size([2, 1, 64, 64]))
    """

    shape = (math.prod(FACTOR_SIZES), 1, SIZE, SIZE)
    digest = digest_of("sprites", repr((FACTOR_SIZES, HALF_SIDE, SEMI_AXES, HEART_RADII)))

    def __init__(self) -> None:
        scales = torch.linspace(0.5, 1, 6, dtype=torch.float64)
        angles = torch.linspace(0, 2 * math.pi, 40, dtype=torch.float64)
        positions = torch.linspace(0, 1, 32, dtype=torch.float64)
        self._values = (torch.arange(3), scales, angles, positions, positions)

    def read(self, indices: Tensor) -> Tensor:
        """Draw the images at `indices`: uint8, 0 or 255, (B, 1, 64, 64)."""
        classes = torch.unravel_index(indices, FACTOR_SIZES)
        pose = [values[c] for values, c in zip(self._values, classes, strict=True)]
        return draw_sprites(*pose)


def sprite_index(classes: Tensor) -> Tensor:
    """Find where the sprite of given factor classes stands among the 737 280.

    Args:
        classes: indices of shape, scale, orientation, x and y, int64, (…, 5).

    Returns:
        Positions, int64, (…).

    Example:
        >>> sprite_index(torch.tensor([2, 5, 39, 31, 31]))
        tensor(737279)
    """
    sizes = torch.tensor((*FACTOR_SIZES, 1))
    strides = sizes.flip(0).cumprod(0).flip(0)[1:]
    return (classes * strides).sum(-1)


def sprites() -> ImageDataset:
    """Give dSprites, drawn on demand, with its five factors."""
    images = SpriteImages()
    grids = [torch.arange(size) for size in FACTOR_SIZES]
    return ImageDataset(
        images,
        factors=torch.cartesian_prod(*grids),
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="sprites",
        digest=digest_of("dataset", images.digest),
    )
