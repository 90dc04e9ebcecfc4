import itertools

import numpy as np
import pytest

from seatbelt_vae.report.palette import DASHES, DIVERGING, MODELS, diverging, rgb

# Machado, Oliveira & Fernandes 2009, severity 1: what a dichromat sees, in linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour: str) -> np.ndarray:
    value = np.array(rgb(colour)) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(value: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(value, 0, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_the_first_models_can_be_told_apart_by_everyone(sight: str) -> None:
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in MODELS[:5]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


@pytest.mark.parametrize("paper", ["#ffffff", "#15171a"])
def test_the_first_models_stand_out_on_both_papers(paper: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 for graphics."""

    def luminance(colour: str) -> float:
        return float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05

    ratios = [luminance(colour) / luminance(paper) for colour in MODELS[:4]]
    assert min(max(ratio, 1 / ratio) for ratio in ratios) > 2.9


def test_no_two_models_share_colour_or_dash() -> None:
    assert len(set(MODELS)) == len(MODELS) == len({tuple(dash) for dash in DASHES})


def test_the_diverging_scale_darkens_evenly_from_its_middle() -> None:
    light = diverging(np.linspace(-1, 1, 21)).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert light.argmax() == 10
    assert (np.diff(light[:11]) > 0).all()
    assert (np.diff(light[10:]) < 0).all()
    assert [tuple(colour) for colour in diverging(np.array([-9.0, 9.0]))] == [rgb(DIVERGING[0]), rgb(DIVERGING[-1])]
