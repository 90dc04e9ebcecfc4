import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.auddc import auddc, curve_at, distortion_curve


def test_by_hand():
    # Points (0, 1), (0.2, 0.6), (0.5, 0.2); then (0.5, 0.2), (1, 0.2):
    # 0.2·0.8 + 0.3·0.4 + 0.5·0.2 = 0.38. The point at 1.5 is outside. The order of the grid does not matter.
    distortion = torch.tensor([1.0, 0.0, 3.0, 0.4], dtype=torch.float64)
    success = torch.tensor([0.8, 0.0, 1.0, 0.4], dtype=torch.float64)
    assert auddc(distortion / 2, success).item() == pytest.approx(0.38)


def test_lowest_point_is_carried_to_the_end():
    # (0, 1), (0.4, 0.3), (0.6, 0.5): 0.4·0.65 + 0.2·0.4, then down to 0.3 for the last 0.4.
    distortion, success = torch.tensor([0.0, 0.4, 0.6]), torch.tensor([0.0, 0.7, 0.5])
    assert auddc(distortion, success).item() == pytest.approx(0.26 + 0.08 + 0.12)


def test_origin_is_the_readers_choice():
    distortion, success = torch.tensor([0.5, 1.0]), torch.tensor([0.5, 0.5])
    assert auddc(distortion, success, from_origin=False).item() == pytest.approx(0.25)
    assert auddc(distortion, success).item() == pytest.approx(0.25 + 0.375)


def test_extremes():
    grid = torch.linspace(0, 1, 11)
    assert auddc(grid, torch.zeros(11)).item() == pytest.approx(1.0)  # never fooled
    assert auddc(grid, torch.ones(11)).item() == 0.0  # fooled by nothing
    assert auddc(grid, grid).item() == pytest.approx(0.5)
    assert auddc(grid + 2, grid).item() == 1.0  # no attack within reach


def test_ordinates_are_cut_point_by_point():
    # s of 0, -1, 2 are ordinates 1, 1, 0, not 1, 2, -1.
    distortion, success = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, -1.0, 2.0])
    assert auddc(distortion, success).item() == pytest.approx(0.75)


def test_rows_are_independent():
    generator = torch.Generator().manual_seed(0)
    distortion, success = torch.rand(2, 4, 9, generator=generator)
    distortion = distortion / torch.tensor([0.5, 0.9, 1.0, 2.0])[:, None]
    alone = torch.stack([auddc(x, s) for x, s in zip(distortion, success, strict=True)])
    torch.testing.assert_close(auddc(distortion, success), alone)


points = st.lists(st.tuples(st.floats(0, 3), st.floats(-5, 5)), min_size=1, max_size=12)


@given(points, st.booleans())
def test_lies_in_the_unit_interval_and_ignores_order(curve, from_origin):
    x, s = torch.tensor(curve, dtype=torch.float64).unbind(-1)
    area = auddc(x / 1.5, s, from_origin=from_origin)
    assert 0 <= area <= 1
    torch.testing.assert_close(auddc(x.flip(0) / 1.5, s.flip(0), from_origin=from_origin), area)


@given(points)
def test_the_number_is_the_area_of_the_picture(curve):
    x, s = torch.tensor(curve, dtype=torch.float64).unbind(-1)
    at = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    drawn = torch.trapezoid(curve_at(x / 1.5, s, at), at)
    assert drawn.item() == pytest.approx(auddc(x / 1.5, s).item(), abs=1e-3)


@given(points)
def test_the_picture_is_numpys_interpolation_of_the_points(curve):
    x, s = torch.tensor(curve, dtype=torch.float64).unbind(-1)
    at = torch.linspace(0, 1, 41, dtype=torch.float64)
    points_x, points_y = distortion_curve(x, s)
    assert (points_x[0], points_y[0], points_x[-1]) == (0, 1, 1)
    assert (points_x.diff() >= 0).all()
    assert curve_at(x, s, at).numpy() == pytest.approx(np.interp(at, points_x, points_y), abs=1e-12)


def test_the_published_area_of_a_grid_that_starts_late():
    """Two λ at .3 and .6: the picture's area is .465, without what lies left of the first point .24."""
    x, s = torch.tensor([0.3, 0.6]), torch.tensor([0.5, 0.7])
    assert auddc(x, s).item() == pytest.approx(0.3 * 0.75 + 0.3 * 0.4 + 0.4 * 0.3)
    assert auddc(x, s, from_origin=False).item() == pytest.approx(0.3 * 0.4 + 0.4 * 0.3)


def test_refusals():
    ones = torch.ones(3)
    with pytest.raises(InputError, match="one shape"):
        auddc(ones, torch.ones(2))
    with pytest.raises(InputError, match="NaN"):
        auddc(ones, ones * float("nan"))
