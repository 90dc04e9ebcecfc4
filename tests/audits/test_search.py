"""A search that knows no gradient climbs all the same, and stays where it may be."""

import torch

from seatbelt_vae.audits.search import search
from seatbelt_vae.audits.subject import Subject
from tests.audits.base import Small, blobs
from tests.audits.planted import Detaches, plant


def test_it_improves_a_blend_without_a_gradient(base: Small) -> None:
    images = blobs(8, seed=3)
    model = plant("detached graph", base, images)
    assert isinstance(model, Detaches)
    subject = Subject(model, images[:4], images[4:], (0.0, 1.0))
    start = torch.lerp(subject.source, subject.target, 0.3)
    radius = 0.3 * subject.apart
    before = subject.judge("start", start[:, None])
    after = search(subject, start, radius, seed=0)
    assert bool((after.success >= before.success).all())
    assert float((after.success - before.success).median()) > 0.03
    assert bool((after.distortion[:, 0] <= 0.3 + 1e-5).all())
    assert float(after.images.min()) >= 0
    assert float(after.images.max()) <= 1
    assert after.evaluations > 100


def test_it_is_the_same_again(base: Small) -> None:
    images = blobs(4, seed=3)
    subject = Subject(base, images[:2], images[2:], (0.0, 1.0))
    found = [search(subject, subject.source, 0.2 * subject.apart, seed=1).images for _ in range(2)]
    assert torch.equal(found[0], found[1])
