"""What a logistic classifier reads from the latents of VAEs that others trained, clean and attacked.

    python benchmarks/downstream.py --models MODELS --data DATA

Chair azimuth and elevation (chairs_mesh64.npz) from the VAE of chairs, and CelebA attributes (celeba64.npz) from the
VAE and the β-TCVAE of CelebA, weights of github.com/YannDubs/disentangling-vae (MIT licence). The classifier is fitted
to 2000 images and read on 100 others, ‖d‖ up to .1 of the median distance between two images. Two minutes of one core.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from burgess import load

import seatbelt_vae as sb
from seatbelt_vae.data import ImageDataset
from seatbelt_vae.experiments import EvaluationSettings
from seatbelt_vae.experiments.evaluation.downstream import read_factors
from seatbelt_vae.experiments.evaluation.subject import Subject

ASKED = {
    "VAE_chairs": ("chairs_mesh64.npz", ("azimuth", "elevation")),
    "VAE_celeba": ("celeba64.npz", ("Male", "Smiling", "Eyeglasses", "Blond_Hair")),
    "btcvae_celeba": ("celeba64.npz", ("Male", "Smiling", "Eyeglasses", "Blond_Hair")),
}
TRAIN = 2000
TEST = 100


def with_factors(images: ImageDataset, names: tuple[str, ...]) -> ImageDataset:
    """The same images with some of their factors."""
    places = [images.factor_names.index(name) for name in names]
    assert images.factors is not None
    return replace(images, factors=images.factors[:, places], factor_names=names, factor_sizes=(), hold_out=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    print("| model | factor | clean ↑ | attacked ↑ | guessed |\n|---|---|---|---|---|")
    for model, (images, names) in ASKED.items():
        drawn = with_factors(sb.load_dataset(asked.data / images), names).sample(TRAIN + TEST)
        parts = drawn.split(test=TEST / len(drawn))
        subject = Subject(load(asked.models / f"{model}.safetensors"), parts, EvaluationSettings("downstream"))
        for name, read in read_factors(subject).items():
            print(f"| {model} | {name} | {read.clean:.2f} | {read.attacked:.2f} | {read.guessed:.2f} |", flush=True)


if __name__ == "__main__":
    main()
