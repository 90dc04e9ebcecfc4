"""Controls of the attacks: what a solver of another make, and a search without gradients, find on the same pairs.

    python benchmarks/robust_control.py RUNS OUT --data FILE.npz --runs chairs-vae-plain-s0 chairs-vae-held-s0

Each measure is a file in OUT that is never made twice: scipy's L-BFGS-B, cold at every λ, for the latent attack; a
random search for damage, in a subspace of random images, with as many evaluations as the restarts are allowed; and, of
no attack, the mutual information gap.
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from robust_measures import Measures, moved, targeted
from robust_strong import Subject
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.attacks import Scipy, reconstruct
from seatbelt_vae.data import ImageDataset, load_dataset
from seatbelt_vae.metrics import mig
from seatbelt_vae.models import HierarchicalVAE

SUBSPACE = 64
EVALUATIONS = 2000
"""Reconstructions of one image at one radius."""
BATCH = 500
SAMPLES = 2000
"""Images of which MIG draws a z."""
PATIENCE = 0.9
"""Factor of the step after a try that gains nothing; a gain doubles it."""


def subspace(train: Tensor) -> Tensor:
    """Orthonormal directions (K, C·H·W): differences of random training images."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(train), generator=generator)
    a, b = train[order[:SUBSPACE]], train[order[-SUBSPACE:]]
    return torch.linalg.qr((a - b).flatten(1).T).Q.T


def inside(d: Tensor, x: Tensor, radius: float) -> Tensor:
    """The nearest distortions within the ball, then within the bounds; rows of pixels."""
    length = d.norm(dim=1, keepdim=True).clamp(min=radius)
    return (x + radius * d / length).clamp(0, 1) - x


@torch.no_grad()
def search(model: HierarchicalVAE, source: Tensor, radius: float, directions: Tensor, evaluations: int) -> Tensor:
    """A (1 + 1) evolution strategy in a subspace: the worst images that it finds, (P, C, H, W)."""
    generator = torch.Generator().manual_seed(0)
    x = source.flatten(1)
    clean = reconstruct(model, source)
    step = torch.ones(len(x), 1)
    best = torch.zeros(len(x), len(directions))
    most = torch.zeros(len(x))

    def image(weights: Tensor) -> Tensor:
        return (x + inside(weights @ directions, x, radius)).view_as(source)

    for _ in range(evaluations):
        drawn = torch.randn(best.shape, generator=generator) / len(directions) ** 0.5
        tried = best + radius * step * drawn
        damage = (reconstruct(model, image(tried)) - clean).flatten(1).norm(dim=1)
        better = (damage > most)[:, None]
        best = torch.where(better, tried, best)
        best = best * (radius / best.norm(dim=1, keepdim=True)).clamp(max=1)
        most = torch.maximum(most, damage)
        step = torch.where(better, 2 * step, PATIENCE * step).clamp(1e-3, 4)
    return image(best)


def blind(subject: Subject, train: Tensor) -> Measures:
    """Damage that the search without gradients does, (P, K)."""
    directions = subspace(train)
    found = [search(subject.model, subject.source, radius, directions, EVALUATIONS) for radius in subject.radii]
    return {"damage_blind_each": moved(subject.model, subject.source, torch.stack(found, 1)).tolist()}


def cold(subject: Subject) -> Measures:
    """f50 by scipy, (P,)."""
    found = targeted(subject.model, subject.source, subject.target, "latent", Scipy())
    return {"f50_scipy_each": found["f50_latent_each"]}


@torch.no_grad()
def disentangled(subject: Subject, data: ImageDataset) -> Measures:
    """MIG of the top layer, over the whole data set; a scalar."""
    assert data.factors is not None
    tops = [subject.model.encode(data[start : start + BATCH])[-1] for start in range(0, len(data), BATCH)]
    q = Normal(torch.cat([top.loc for top in tops]), torch.cat([top.scale for top in tops]))
    return {"mig": mig(q, data.factors, SAMPLES).score}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the runs")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", required=True, help="a name, or a file")
    parser.add_argument("--runs", nargs="+", required=True)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--measures", nargs="*", default=["blind", "scipy"], choices=["blind", "scipy", "mig"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = load_dataset(args.data, size=args.size)
    for name in args.runs:
        subject = Subject.of(args.folder / name, data, args.pairs, args.out)
        train = subject.split.train.sample(2 * SUBSPACE)[:]
        measures = {
            "blind": partial(blind, subject, train),
            "scipy": partial(cold, subject),
            "mig": partial(disentangled, subject, data),
        }
        for measure in args.measures:
            subject.once(measure, measures[measure])


if __name__ == "__main__":
    main()
