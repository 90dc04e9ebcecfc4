"""Audits of VAEs that others trained, and the table of docs/audit.md.

    OTHERS=OTHERS OMP_NUM_THREADS=2 python benchmarks/audit.py --models MODELS --data DATA --out FOLDER [--pairs 10]

MODELS holds weights of github.com/YannDubs/disentangling-vae (MIT licence) as safetensors, named LOSS_DATASET; DATA the
images that they are attacked with: chairs_aubry_real100.npz, disvae_dsprites100.npz, celeba64.npz. Each of them is
audited once, with the other models of its data set as siblings. The VAE of chairs is audited a second time as a wrapped
pair of functions: it must come out the same. OTHERS holds what benchmarks/others_training.py trained by other
libraries; what is not installed or not there is left out with a line. What is in FOLDER is not done again. Pictures are
made of chairs and sprites only.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from burgess import load

import seatbelt_vae as sb
from seatbelt_vae.adapters import load_factory
from seatbelt_vae.attacks import Attackable
from seatbelt_vae.audits.record import AuditRecord, IntervalRecord
from seatbelt_vae.errors import InputError
from seatbelt_vae.report.audit import write_pictures
from seatbelt_vae.storage import write_bytes

IMAGES = {
    "chairs": "chairs_aubry_real100.npz",
    "dsprites": "disvae_dsprites100.npz",
    "celeba": "celeba64.npz",
}
COUNT = 300
"""Images of a data set that are used at most."""

SHOWN = ("chairs", "dsprites")
"""Data sets of which pictures may be shown."""

FIRST = 2000
"""Of the images for models of other libraries: they were trained with those before."""

FACTORIES = {
    "pythae_btcvae": ("chairs_mesh64.npz", 64, 10),
    "very_deep": ("celeba64.npz", 32, 2),
    "autoencoder_celeba": ("celeba64.npz", 64, 5),
    "autoencoder_256": ("celeba64.npz", 256, 1),
}
"""Functions of benchmarks/others.py: images, their side, pairs at most (these networks are slow)."""

HEAD = (
    "| model (pairs) | f50 ↑ | blend | PCA | amplification ↓ | AUDDC ↑ | flags | verdict | seconds |",
    "|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Case:
    """A model to audit.

    Attributes:
        name: in the table.
        make: gives the model.
        images: to attack it with.
        siblings: weights of other models of the same images.
        pairs: at most.
        shown: whether pictures of it may be.
    """

    name: str
    make: Callable[[], Attackable]
    images: sb.ImageDataset
    siblings: Sequence[Path] = ()
    pairs: int = 10
    shown: bool = False


def trained(models: Path, data: Path) -> Iterator[Case]:
    """The weights of disentangling-vae."""
    paths = sorted(models.glob("*.safetensors"))
    for path in paths:
        name = dataset_of(path)
        whole = sb.load_dataset(data / IMAGES[name])
        images = whole.subset(slice(0, min(COUNT, len(whole))))
        siblings = [other for other in paths if dataset_of(other) == name and other != path]
        case = partial(Case, images=images, siblings=siblings, shown=name in SHOWN)
        yield case(path.stem, partial(load, path))
        if path.stem == "VAE_chairs":
            yield case("VAE_chairs, wrapped functions", partial(as_functions, path))


def of_libraries(data: Path) -> Iterator[Case]:
    """The factories of benchmarks/others.py."""
    for name, (images, side, pairs) in FACTORIES.items():
        whole = sb.load_dataset(data / images).subset(slice(FIRST, FIRST + COUNT)).resized(side)
        yield Case(name, partial(load_factory, f"others:{name}"), whole, pairs=pairs, shown="chairs" in images)


def as_functions(path: Path) -> sb.adapters.Wrapped:
    """A model as a pair of functions."""
    model = load(path)
    shape = (model.encoder["conv1"].in_channels, 64, 64)
    return sb.wrap(model.moments, model.image, image_shape=shape, posterior="log-variance")


def dataset_of(path: Path) -> str:
    """The data set in a model's name."""
    return path.stem.split("_")[1]


def audited(case: Case, out: Path, pairs: int, suite: str) -> sb.Audit:
    """An audit, from its folder if it is there."""
    folder = out / case.name
    if (folder / "audit.json").exists():
        return sb.Audit.load(folder)
    siblings = [load(path) for path in case.siblings]
    pairs = min(pairs, case.pairs)
    made = sb.audit(case.make(), case.images, suite=suite, pairs=pairs, siblings=siblings, progress=True)
    made.save(folder)
    return made


def line(name: str, record: AuditRecord) -> str:
    """A row of the table."""
    raised = [flag for flag, each in record.flags.items() if each.raised]
    cells = [
        f"{name} ({record.pairs})",
        words(record.measures["f50"]),
        number(record.references["blend"]["f50"]),
        number(record.references.get("PCA", {}).get("f50")),
        words(record.measures["amplification"]),
        words(record.measures["auddc"]),
        ", ".join(raised) or "none",
        record.sentence.split(":")[0],
        f"{record.seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def words(measure: IntervalRecord) -> str:
    """A value with its interval."""
    return f"{number(measure.value)} [{number(measure.low)}, {number(measure.high)}]"


def number(value: float | None) -> str:
    """Three digits, or a dash."""
    return "–" if value is None else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    asked = parser.parse_args()
    suite = "full" if asked.full else "quick"
    lines = list(HEAD)
    for case in [*trained(asked.models, asked.data), *of_libraries(asked.data)]:
        if asked.only and case.name not in asked.only:
            continue
        try:
            found = audited(case, asked.out, asked.pairs, suite)
        except InputError as error:
            print(f"{case.name}: left out: {error}\n", flush=True)
            continue
        print(f"{case.name}\n{found}\n", flush=True)
        lines.append(line(case.name, found.record))
        if case.shown:
            write_pictures(found, asked.out / case.name)
    write_bytes(asked.out / "table.md", ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
