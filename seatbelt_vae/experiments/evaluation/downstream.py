"""What a classifier on the latents still reads from images of the test data, clean and attacked."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.attacks import downstream_accuracy
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation.subject import Subject
from seatbelt_vae.metrics import distance, fit_readout

IMAGES = 100
"""Test images at most."""

SHARE = 0.1
"""Radius of the attack, in units of the median distance between two images."""

ITERATIONS = 50
"""Of an attack."""


@dataclass(frozen=True)
class Read:
    """How often a factor is read right, as shares of the images.

    Attributes:
        clean: from the images as they are.
        attacked: from attacked ones.
        guessed: by always saying what the training images have most often.
        images: how many there are.
    """

    clean: float
    attacked: float
    guessed: float
    images: int


def read_factors(subject: Subject) -> dict[str, Read]:
    """A logistic classifier for each factor, fitted to the codes of the training images; read on test images.

    Factors of one value are left out, and so are test images of a value that no training image has, such as a person
    who was held out.

    Raises:
        InputError: there are no two different test images, or no factor is left.
    """
    images = subject.test
    if len(images) > IMAGES:
        images = images.sample(IMAGES, subject.settings.seed)
    radius = SHARE * float(distance(images[:], images[:].roll(1, 0)).median())
    if not radius > 0:
        raise InputError("downstream: needs two different test images at least")
    found = {}
    for name in subject.train.factor_names:
        seen, count = subject.train.factor(name).unique(return_counts=True)
        labels = images.factor(name)
        known = torch.isin(labels, seen)
        if len(seen) > 1 and bool(known.any()):
            guessed = labels[known] == seen[count.argmax()]
            clean, attacked = _read(subject, name, images[known.nonzero()[:, 0]], labels[known], radius)
            found[name] = Read(clean, attacked, float(guessed.double().mean()), int(known.sum()))
    if not found:
        raise InputError("downstream: no factor has values that are both in training and in test images")
    return found


def _read(subject: Subject, name: str, images: Tensor, labels: Tensor, radius: float) -> tuple[float, float]:
    """Accuracy on images (N, C, H, W), clean and attacked."""
    readout = fit_readout(subject.codes.flatten(1), subject.train.factor(name))
    accuracy = downstream_accuracy(
        subject.model,
        readout,
        images,
        labels,
        [radius],
        max_iterations=ITERATIONS,
        bounds=subject.test.bounds,
        seed=subject.settings.seed,
    )
    clean, attacked = accuracy.tolist()
    return clean, attacked
