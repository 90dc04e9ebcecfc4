"""Thirty ways to seem robust and some honest models: which flags are raised. No miss, no false alarm.

    python -m benchmarks.audit_cases [--suite smoke] [--pairs 2] [--audits FOLDER] [--only NAME …] [--markdown FILE]

The defects are those of tests/audits/planted.py, done to a small VAE of blobs that is trained on the way. The honest
models are that VAE, others of other activations and seeds, a PCA and a wrapped pair of functions; and those of others,
which benchmarks/audit.py has audited with more: FOLDER is what it wrote. Five minutes of one core.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

import seatbelt_vae as sb
from seatbelt_vae.metrics import fit_pca
from seatbelt_vae.storage import write_bytes
from tests.audits.base import SIDE, Small, blobs, trained
from tests.audits.planted import DEFECTS, plant

HEAD = ("| model | flags raised | f50 ≤ | seconds |", "|---|---|---|---|")


def linear(images: Tensor) -> sb.adapters.Wrapped:
    """PCA as a deterministic code."""
    pca = fit_pca(images, mse=0.005)

    def encode(x: Tensor) -> Tensor:
        return (x - pca.mean).flatten(1) @ pca.components.T

    def decode(z: Tensor) -> Tensor:
        return (z @ pca.components).unflatten(1, (1, SIDE, SIDE)) + pca.mean

    return sb.wrap(encode, decode, image_shape=(1, SIDE, SIDE))


def wrapped(model: Small) -> sb.adapters.Wrapped:
    """A pair of functions."""
    moments = lambda x: model.features(x).chunk(2, 1)  # noqa: E731
    return sb.wrap(moments, model.show, image_shape=(1, SIDE, SIDE), posterior="log-variance")


def honest(base: Small, images: Tensor) -> dict[str, Callable[[], object]]:
    """Models that hide nothing."""
    return {
        "small VAE": lambda: base,
        "another seed": lambda: trained(Small(seed=3), images),
        "SiLU": lambda: trained(Small(seed=1, activation=nn.SiLU), images),
        "tanh": lambda: trained(Small(seed=2, activation=nn.Tanh), images),
        "few steps": lambda: trained(Small(seed=4), images, steps=150),
        "wrapped functions": lambda: wrapped(base),
        "PCA": lambda: linear(images),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--audits", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    training = blobs(1024, seed=0)
    test = blobs(64, seed=1)
    base = trained(Small(), training)
    lines = list(HEAD)
    missed = 0
    for name, make, wanted in cases(base, training):
        if asked.only and name not in asked.only:
            continue
        began = time.process_time()
        found = sb.audit(make(), test, suite=asked.suite, pairs=asked.pairs, train_images=training)
        right = bool(set(wanted) & set(raised(found))) if wanted else not found.raised
        missed += not right
        lines.append(row(name, found, time.process_time() - began))
        print(lines[-1] + ("" if right else "  WRONG"), flush=True)
    for folder in audited(asked.audits):
        found = sb.Audit.load(folder)
        missed += bool(found.raised)
        lines.append(row(folder.name, found, found.record.seconds))
        print(lines[-1] + ("  WRONG" if found.raised else ""), flush=True)
    print(f"{len(lines) - len(HEAD)} cases, {missed} wrong")
    if asked.markdown:
        write_bytes(asked.markdown, ("\n".join(lines) + "\n").encode())


def raised(found: sb.Audit) -> list[str]:
    """The flags of an audit, those for information among them."""
    return [flag for flag, each in found.flags.items() if each.raised]


def row(name: str, found: sb.Audit, seconds: float) -> str:
    """A row of the table."""
    f50 = found.record.measures["f50"].value
    cells = [name, ", ".join(raised(found)) or "none", "–" if f50 is None else f"{f50:.2f}", f"{seconds:.1f}"]
    return f"| {' | '.join(cells)} |"


def audited(folder: Path | None) -> list[Path]:
    """The audits of models of others."""
    if folder is None:
        return []
    return sorted(path.parent for path in folder.glob("*/audit.json"))


def cases(base: Small, images: Tensor) -> Iterator[tuple[str, Callable[[], object], tuple[str, ...]]]:
    """Name, model, and the flags of which one must be raised; none for an honest one."""
    for name, make in honest(base, images).items():
        yield name, make, ()
    for name, (_, wanted) in DEFECTS.items():
        yield name, partial(plant, name, base, images), wanted


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
