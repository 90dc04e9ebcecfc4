"""Audits of VAEs that others trained, and the table of docs/audit.md.

    OMP_NUM_THREADS=2 python benchmarks/audit.py --models MODELS --data DATA --out FOLDER [--pairs 10] [--full]

MODELS holds weights of github.com/YannDubs/disentangling-vae (MIT licence) as safetensors, named LOSS_DATASET; DATA the
images that they are attacked with: chairs_aubry_real100.npz, disvae_dsprites100.npz, celeba64.npz. Each model is
audited once, with the other models of its data set as siblings; what is in FOLDER is not done again. The VAE of chairs
is audited a second time as a wrapped pair of functions: it must come out the same. Pictures are made of chairs and
sprites only.
"""

import argparse
from functools import partial
from pathlib import Path

from burgess import Burgess, load

import seatbelt_vae as sb
from seatbelt_vae.audits.record import AuditRecord, IntervalRecord
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

HEAD = (
    "| model | f50 ↑ | blend | PCA | amplification ↓ | AUDDC ↑ | flags | verdict | seconds |",
    "|---|---|---|---|---|---|---|---|---|",
)


def as_functions(model: Burgess) -> sb.adapters.Wrapped:
    """The same model as a pair of functions."""
    shape = (model.encoder["conv1"].in_channels, 64, 64)
    return sb.wrap(model.moments, model.image, image_shape=shape, posterior="log-variance")


def dataset_of(path: Path) -> str:
    """The data set in a model's name."""
    return path.stem.split("_")[1]


def images_of(name: str, data: Path) -> sb.ImageDataset:
    """The first images of a data set."""
    whole = sb.load_dataset(data / IMAGES[name])
    return whole.subset(slice(0, min(COUNT, len(whole))))


def audited(name: str, make, images, siblings, out: Path, pairs: int, suite: str) -> sb.Audit:  # type: ignore[no-untyped-def]
    """An audit, from its folder if it is there."""
    folder = out / name
    if (folder / "audit.json").exists():
        return sb.Audit.load(folder)
    made = sb.audit(make(), images, suite=suite, pairs=pairs, siblings=[load(path) for path in siblings], progress=True)
    made.save(folder)
    return made


def line(name: str, record: AuditRecord) -> str:
    """A row of the table."""
    raised = [flag for flag, each in record.flags.items() if each.raised]
    cells = [
        name,
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
    paths = sorted(asked.models.glob("*.safetensors"))
    lines = list(HEAD)
    for path in paths:
        name = dataset_of(path)
        images = images_of(name, asked.data)
        siblings = [other for other in paths if dataset_of(other) == name and other != path]
        subjects = {path.stem: partial(load, path)}
        if path.stem == "VAE_chairs":
            subjects["VAE_chairs, wrapped functions"] = lambda path=path: as_functions(load(path))
        for label, make in subjects.items():
            if asked.only and label not in asked.only:
                continue
            found = audited(label, make, images, siblings, asked.out, asked.pairs, suite)
            print(f"{label}\n{found}\n", flush=True)
            lines.append(line(label, found.record))
            if name in SHOWN:
                write_pictures(found, asked.out / label)
    write_bytes(asked.out / "table.md", ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
