"""The picture at the head of the README: what two models of the demonstration make of the same small distortions.

    seatbelt demo --out demo && python benchmarks/hero.py demo docs/figures/hero.svg
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.report import Group, Trial, groups
from seatbelt_vae.report.images import Pixels, pixels, unit
from seatbelt_vae.report.pictures import PictureRow, Pictures, pictures_svg

MODELS = ("vae", "robust-vae")
RADIUS = 0.8
IMAGES = range(4)
HEADS = ("image x", "VAE: rec(x)", "attacked x*", "rec(x*)", "robust: rec(x)", "attacked x*", "rec(x*)")


def main(demo: Path, out: Path) -> None:
    """Draw it. The images are the first of the demonstration's; nothing is picked."""
    records = [RunFolder.open(demo / name).record() for name in MODELS]
    (damage,) = [group for group in groups(records) if not group.targeted]
    rows = [PictureRow("", tuple(tiles(damage, image))) for image in IMAGES]
    figure = Pictures("", tuple(rows), heads=HEADS, side=84, left=0, gap=6)
    out.write_text(pictures_svg(figure), encoding="utf-8")


def tiles(damage: Group, image: int) -> Iterator[Pixels]:
    """The image, then for each model its reconstruction, the worst distortion, and what becomes of it."""
    place = min(range(len(damage.budgets)), key=lambda k: abs(damage.budgets[k] - RADIUS))
    yield tile(damage.trials[0], damage.result.source[image])
    for trial in damage.trials:
        seen = trial.attacked.assessment
        yield tile(trial, seen.source_reconstruction[image])
        yield tile(trial, trial.result.adversarial[image, place])
        yield tile(trial, seen.adversarial_reconstruction[image, place])


def tile(trial: Trial, image: Tensor) -> Pixels:
    """An image as bytes."""
    return pixels(unit(image, trial.bounds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
