import math

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.robustness import (
    attack_success,
    distance,
    relative_distortion,
    success_at,
    success_is_defined,
)

SHAPE = (2, 4, 4)


def images(*lead, seed=0):
    return torch.rand(*lead, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def norm(x):
    return math.sqrt(sum(float(value) ** 2 for value in x.flatten()))


def test_success_is_the_formula():
    adversarial, source, target = images(3, 5), images(3, seed=1), images(3, seed=2)
    best = target + 0.1 * images(3, seed=3)
    success = attack_success(adversarial, source, best, target)
    assert success.shape == (3, 5)
    for pair in range(3):
        t, floor = target[pair], norm(best[pair] - target[pair])
        for k in range(5):
            above = norm(adversarial[pair, k] - t) - floor
            assert success[pair, k].item() == pytest.approx(1 - above / (norm(source[pair] - t) - floor))


def test_success_is_zero_for_the_source_and_one_for_the_target():
    source, best, target = images(4), images(4, seed=1) * 0.1, images(4, seed=1) * 0.1 + 0.05
    assert attack_success(source, source, best, target).tolist() == [0.0] * 4
    torch.testing.assert_close(attack_success(best, source, best, target), torch.ones(4, dtype=torch.float64))


def test_collapsed_model_gains_nothing_and_says_so():
    blind, target = images(2), images(2, seed=1)  # the reconstruction does not depend on the input
    assert success_is_defined(blind, blind, target).tolist() == [False, False]
    success = attack_success(images(2, 3, seed=2), blind, blind, target)
    assert success.tolist() == [[0.0] * 3] * 2
    perfect = attack_success(target[:, None], target, target, target)  # all distances 0
    assert perfect.tolist() == [[0.0], [0.0]]


def test_guard_is_a_share_of_the_clean_distance():
    target = torch.zeros(1, 1, 1, 1)
    for unit in (0.01, 1.0, 100.0):
        clean, near, far = (torch.full_like(target, unit * value) for value in (1.0, 0.995, 0.98))
        assert not success_is_defined(clean, near, target)
        assert success_is_defined(clean, far, target)
        assert success_is_defined(clean, near, target, minimum_gap=0.001)
        assert not success_is_defined(far, clean, target)  # encoding the target is even worse


def test_success_within_a_budget():
    distortion = torch.tensor([[0.0, 0.2, 0.3, 0.7], [0.4, 0.5, 0.6, 0.7]])
    success = torch.tensor([[0.0, 0.4, 0.3, 1.0], [-0.5, -0.2, 0.1, 0.9]])
    assert success_at(distortion, success, at=0.3).tolist() == pytest.approx([0.4, 0.0])
    assert success_at(distortion, success, at=0.5).tolist() == pytest.approx([0.4, 0.0])
    assert success_at(distortion, success, at=0.7).tolist() == pytest.approx([1.0, 0.9])


def test_relative_distortion():
    source, target = images(3), images(3, seed=1)
    apart = (source - target).flatten(1).norm(dim=1)
    shares = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    distortion = apart[:, None] * shares
    torch.testing.assert_close(relative_distortion(distortion, source, target), shares.expand(3, 3))
    with pytest.raises(InputError, match="pair 1"):
        relative_distortion(torch.ones(3), source, torch.stack([target[0], source[1], target[2]]))


def test_distances():
    adversarial, source = images(2, 3), images(2, seed=1)
    assert distance(adversarial, source)[1, 2].item() == pytest.approx(norm(adversarial[1, 2] - source[1]))
    assert distance(source, source).tolist() == [0.0, 0.0]


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="do not match"):
        attack_success(images(3, 5), images(2), images(2), images(2))
