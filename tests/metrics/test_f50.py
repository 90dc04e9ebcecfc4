import math

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.amplification import amplification
from seatbelt_vae.metrics.f50 import distortion_at, f50


def test_by_hand():
    # Sorted: (.1, .2), (.3, .1), (.4, .8). The envelope stays at .2 until .3, then rises by .6 within .1.
    distortion = torch.tensor([0.4, 0.1, 0.3], dtype=torch.float64)
    success = torch.tensor([0.8, 0.2, 0.1], dtype=torch.float64)
    assert f50(distortion, success).item() == pytest.approx(0.3 + 0.1 * 0.3 / 0.6)
    assert distortion_at(distortion, success, level=0.1).item() == pytest.approx(0.05)  # on the way from (0, 0)
    assert distortion_at(distortion, success, level=0.2).item() == pytest.approx(0.1)
    assert distortion_at(distortion, success, level=0.8).item() == pytest.approx(0.4)
    assert distortion_at(distortion, success, level=0.81).item() == math.inf


def test_never_reached_and_reached_without_distortion():
    distortion = torch.tensor([[0.2, 0.5], [0.0, 0.5]])
    success = torch.tensor([[-0.3, 0.49], [0.6, 0.7]])
    assert f50(distortion, success).tolist() == [math.inf, 0.0]
    assert f50(torch.tensor([1.5, 1.7]), torch.tensor([0.0, 1.0])).item() == pytest.approx(1.6)  # beyond the target


def test_the_identity_has_one_half():
    shares = torch.rand(4, 9, dtype=torch.float64)
    shares[:, 0] = 1.0
    assert f50(shares, shares).tolist() == pytest.approx([0.5] * 4)


def test_rows_are_independent():
    distortion, success = torch.rand(2, 3, 4, 7, generator=torch.Generator().manual_seed(0))
    whole = f50(distortion, success)
    assert whole.shape == (3, 4)
    assert whole[1, 2] == f50(distortion[1, 2], success[1, 2])


def test_amplification_by_hand():
    damage = torch.tensor([[1.0, 1.5, 1.2], [0.5, 1.0, 2.0]])
    # In order of the radii .5, 1, 2 the largest damages so far are 1.5, 1.5, 1.5 and 1, 1, 2.
    radii = torch.tensor([1.0, 0.5, 2.0])
    assert amplification(damage, radii).tolist() == [[1.5, 3.0, 0.75], [1.0, 2.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f50(torch.ones(2), torch.ones(3)), "one shape"),
        (lambda: f50(torch.ones(2, 0), torch.ones(2, 0)), "one shape"),
        (lambda: f50(torch.ones(2), torch.tensor([1.0, math.nan])), "NaN"),
        (lambda: distortion_at(torch.ones(2), torch.ones(2), level=0.0), "not above 0"),
        (lambda: amplification(torch.ones(2, 3), torch.ones(2)), "expected"),
        (lambda: amplification(torch.ones(1, 2), torch.tensor([0.0, 1.0])), "not above 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()
