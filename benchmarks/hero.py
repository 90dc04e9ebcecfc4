"""The picture at the head of the README: two models of the demonstration, attacked inside the same balls.

    seatbelt demo --out demo && python benchmarks/hero.py demo docs/figures/hero.svg

The pairs are the first of the demonstration's; nothing is picked.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

import seatbelt_vae as sb
from seatbelt_vae.data import draw_pairs
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.pixels import Pixels, pixels, unit
from seatbelt_vae.report.pictures import PictureRow, Pictures, pictures_svg

RADIUS = 2.5
"""About 30 % of the median distance between two images."""

PAIRS = 4
HEADS = ("source", "target", "VAE: attacked", "what it says", "robust: attacked", "what it says")


def main(demo: Path, out: Path) -> None:
    """Attack and draw."""
    plain = RunFolder.open(demo / "vae")
    robust = RunFolder.open(demo / "robust-vae")
    drawn = draw_pairs(plain.split.test, "test", 10, 0)
    source = drawn.source[:PAIRS]
    target = drawn.target[:PAIRS]
    columns = [source, target, *attacked(plain, source, target), *attacked(robust, source, target)]
    rows = [PictureRow("", tuple(tile(column[pair]) for column in columns)) for pair in range(PAIRS)]
    figure = Pictures("", tuple(rows), heads=HEADS, side=98, left=0, gap=6)
    out.write_text(pictures_svg(figure), encoding="utf-8")


@torch.no_grad()
def attacked(run: RunFolder, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """What looks most like the target to the encoder within the ball, and what the model makes of it."""
    model = run.model().eval()
    result = sb.attack(model, source, target, sb.Latent(), sb.Ball([RADIUS], restarts=5), sb.Cold(300))
    adversarial = result.adversarial[:, 0]
    return adversarial, model.reconstruct(adversarial)


def tile(image: Tensor) -> Pixels:
    """An image as bytes."""
    return pixels(unit(image, (0.0, 1.0)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
