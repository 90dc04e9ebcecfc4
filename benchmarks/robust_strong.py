"""The strongest attacks of the robustness benchmark, on a few runs of `benchmarks/robust.py`.

    python benchmarks/robust_strong.py RUNS OUT --data faces=FILE.npz --runs faces-vae-plain-s0 faces-vae-held-s0 …

All runs share their data, and are attacked on the same pairs of held-out images. Damage: random restarts; the images
found on all other runs; and searches that set out from what was found on two of them. Every measure is a file
in OUT that is never made twice.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from robust import load
from robust_measures import (
    RADII,
    Measures,
    damage,
    damage_from,
    median_distance,
    moved,
    noise_damage,
    quality,
    references,
    targeted,
)
from torch import Tensor

from seatbelt_vae.attacks import Continuation
from seatbelt_vae.data import ImageDataset, Split, load_dataset, pairs
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors


@dataclass(frozen=True)
class Subject:
    """A run, and where what is measured of it goes.

    Attributes:
        name: of the run.
        model: in evaluation mode.
        split: its data.
        radii: of the balls, pixels.
        source: x, (P, C, H, W).
        target: x_t, likewise.
        out: folder of the measures.
    """

    name: str
    model: HierarchicalVAE
    split: Split
    radii: list[float]
    source: Tensor
    target: Tensor
    out: Path

    @classmethod
    def of(cls, folder: Path, data: ImageDataset, count: int, out: Path, draw: int = 0) -> "Subject":
        """Read a run."""
        split = data.split(0.1, 0)
        drawn = pairs(split.test, count, draw)
        apart = median_distance(split.train)
        radii = [share * apart for share in RADII]
        model = load(folder, data.image_shape)
        return cls(folder.name, model, split, radii, drawn.source, drawn.target, out)

    def once(self, what: str, measure: Callable[[], Measures]) -> Measures:
        """A measure, made if it is not there."""
        path = self.out / f"{self.name}.{what}.json"
        if not path.exists():
            write_json(path, measure())
            print(path.name, flush=True)
        return read_json(path)

    def images(self, what: str, search: Callable[[], Tensor]) -> Tensor:
        """Adversarial images, searched if they are not there."""
        path = self.out / f"{self.name}.{what}.safetensors"
        if not path.exists():
            write_tensors(path, {"adversarial": search()})
            print(path.name, flush=True)
        return read_tensors(path)["adversarial"]

    def searched(self, restarts: int) -> Tensor:
        """The worst images of the balls by restarts."""
        return self.images(f"restarts{restarts}", lambda: damage(self.model, self.source, self.radii, restarts))

    def begun(self, other: "Subject", restarts: int) -> Tensor:
        """The same by searches that set out from what was found on another model."""
        start = other.searched(restarts)
        return self.images(f"from-{other.name}", lambda: damage_from(self.model, self.source, self.radii, start))

    def targeted(self, mode: str, count: int, passes: int) -> Measures:
        """A targeted attack on the first pairs."""
        source, target = self.source[:count], self.target[:count]
        return self.once(mode, lambda: targeted(self.model, source, target, mode, Continuation(passes=passes)))

    def plain(self) -> Measures:
        """What needs no attack: quality, the lines that no model sets, noise."""
        found = quality(self.model, self.split.test)
        lines = references(self.model, self.split.train, self.source, self.target, self.radii, found["mse"])
        noise = noise_damage(self.model, self.source, self.radii)
        return found | lines | {"noise_each": noise.tolist()}


def strongest(subject: Subject, own: Tensor, begun: list[Tensor], others: list[Tensor]) -> Measures:
    """Damage by each kind of attack, and the largest of all; a larger ball holds the smaller ones."""
    parts = {"restarts": [own], "begun": begun, "transfer": others}
    found = {}
    for name, sets in parts.items():
        if sets:
            damages = torch.stack([moved(subject.model, subject.source, images) for images in sets])
            found[name] = damages.amax(0).cummax(-1).values
    found["all"] = torch.stack(list(found.values())).amax(0)
    return {f"damage_{name}_each": damage.tolist() for name, damage in found.items()}


def starts(subject: Subject, subjects: list[Subject]) -> list[Subject]:
    """A plain model of the same seed, and the next seed of the same kind; a plain model has none."""
    kind, seed = subject.name.rsplit("-s", 1)
    if kind.endswith("-plain"):
        return []
    plain = [each for each in subjects if each.name.endswith(f"-plain-s{seed}")]
    siblings = [each for each in subjects if each.name.startswith(f"{kind}-s") and each is not subject]
    return plain + siblings[:1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the runs")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", required=True, help="a name, or a file")
    parser.add_argument("--runs", nargs="+", required=True)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=40, help="for damage")
    parser.add_argument("--draw", type=int, default=0, help="seed of the pairs")
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--targeted-pairs", type=int, default=40)
    parser.add_argument("--modes", nargs="*", default=["latent", "output"])
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--no-starts", action="store_true", help="no search from what was found on another model")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = load_dataset(args.data, size=args.size)
    subjects = [Subject.of(args.folder / name, data, args.pairs, args.out, args.draw) for name in args.runs]
    for subject in subjects:
        subject.once("plain", subject.plain)
        subject.searched(args.restarts)
    for mode in args.modes:
        for subject in subjects:
            subject.targeted(mode, args.targeted_pairs, args.passes)
    for subject in subjects:
        own = subject.searched(args.restarts)
        begun = []
        if not args.no_starts:
            begun = [subject.begun(other, args.restarts) for other in starts(subject, subjects)]
        others = [other.searched(args.restarts) for other in subjects if other is not subject]
        write_json(args.out / f"{subject.name}.damage.json", strongest(subject, own, begun, others))


if __name__ == "__main__":
    main()
