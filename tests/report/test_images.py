import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seatbelt_vae.pixels import encoded, pixels
from seatbelt_vae.report.images import MAX_GAIN, display_gain, distortion_pixels
from seatbelt_vae.report.palette import DIVERGING, rgb


@given(st.floats(0, 1))
def test_the_gain_is_the_largest_power_of_two_that_does_not_saturate(largest: float) -> None:
    gain = display_gain(np.array([largest, -largest / 2]))
    assert np.log2(gain) % 1 == 0
    assert gain * largest <= 1
    assert gain == MAX_GAIN or 2 * gain * largest > 1


def test_no_distortion_is_the_middle_of_the_scale() -> None:
    assert (distortion_pixels(np.zeros((1, 2, 2)), 8) == rgb(DIVERGING[2])).all()
    assert (distortion_pixels(np.zeros((3, 2, 2)), 8) == 128).all()


def test_full_scale_is_one_over_the_gain() -> None:
    ends = distortion_pixels(np.array([[[-0.25, 0.25]]]), 4)
    assert [tuple(colour) for colour in ends[0]] == [rgb(DIVERGING[0]), rgb(DIVERGING[-1])]


def test_pixels_are_rounded_and_clipped() -> None:
    assert pixels(np.array([[[-1.0, 0.0, 0.5, 1.0, 2.0]]])).tolist() == [[0, 0, 128, 255, 255]]
    assert pixels(np.zeros((3, 4, 5))).shape == (4, 5, 3)


def test_png_is_lossless() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(encoded(image)))) == image).all()
