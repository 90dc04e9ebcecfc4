import io

import numpy as np
import pytest
from PIL import Image

from seatbelt_vae.pixels import pixels
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.export import SCALE, svg_files
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.panels import panels, reconstructions
from seatbelt_vae.report.pictures import HEAD, Pictures, pictures_svg

from .synthetic import synthetic_runs


def drawn(figure: Pictures) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(svg_files(pictures_svg(figure))["png"])).convert("RGB"))


def test_six_tiles_for_each_model_at_its_own_lambda(latent: Group) -> None:
    figure = panels(latent, 1)
    assert [row.label for row in figure.rows] == [trial.label for trial in latent.trials]
    for row, trial in zip(figure.rows, latent.trials, strict=True):
        k = int(trial.attacked.shown[1])
        images = (
            trial.result.source[1],
            trial.attacked.assessment.source_reconstruction[1],
            trial.result.adversarial[1, k],
            trial.attacked.assessment.adversarial_reconstruction[1, k],
            trial.result.target[1],
        )
        for place, image in zip((0, 1, 2, 4, 5), images, strict=True):
            assert (row.tiles[place] == pixels(image.double().numpy())).all()


def test_distortions_of_one_figure_share_the_gain_at_which_none_saturates(latent: Group) -> None:
    figure = panels(latent, 0, shown=[0, 0, 0])
    largest = max(
        float((t.result.adversarial[0, 0].double() - t.result.source[0].double()).abs().max()) for t in latent.trials
    )
    assert figure.gain * largest <= 1 < 2 * figure.gain * largest


def test_there_is_no_third_of_two_pairs(latent: Group) -> None:
    with pytest.raises(IndexError):
        panels(latent, 2)


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (28, 3)])
def test_every_pixel_of_a_tile_is_drawn_as_a_crisp_square(size: int, channels: int) -> None:
    runs = synthetic_runs(models=1, pairs=1, count=3, size=size, channels=channels, modes=("latent",))
    figure = panels(groups(runs)[0], 0)
    picture = drawn(figure)
    times = round(figure.side * SCALE / size)
    left = round(SCALE * figure.left) + 2 * (size * times + SCALE * figure.gap)  # the third tile: x*
    top = SCALE * HEAD
    tile = picture[top : top + size * times, left : left + size * times]
    middles = tile[times // 2 :: times, times // 2 :: times]
    expected = figure.rows[0].tiles[2]
    assert (middles == (expected if channels == 3 else expected[..., None])).all()
    quarter = tile[times - 3 :: times, 2::times]  # away from the middle, off the frame: still the same colour
    assert (quarter[1:-1, 1:-1] == middles[1:-1, 1:-1]).all()


def test_the_svg_says_what_it_shows_and_how_far_the_scale_goes(latent: Group) -> None:
    figure = panels(latent, 0)
    svg = pictures_svg(figure)
    for words in (*(trial.label for trial in latent.trials), "Original x", "Distortion d", f"shown ×{figure.gain:g}"):
        assert words in svg
    assert svg.count("<image") == 6 * len(latent.trials)
    assert "ₜ" not in svg
    assert "‖" not in svg


def test_the_scale_is_that_of_the_distortions(latent: Group) -> None:
    figure = panels(latent, 0)
    picture = drawn(figure)
    height = len(picture) - SCALE * 48  # of the pictures
    middle = picture[height + SCALE * 16, round(SCALE * figure.left) :]
    for colour in ((5, 48, 97), (103, 0, 31)):  # its two ends
        assert (np.abs(middle.astype(int) - colour).sum(1) < 12).any()


def test_labels_cannot_break_the_svg() -> None:
    from dataclasses import replace
    from xml.etree import ElementTree

    (run,) = synthetic_runs(models=1, pairs=1, count=3, modes=("latent",))
    figure = panels(groups([replace(run, label='a<b & "c" ‖d‖²')])[0], 0)
    words = "".join(ElementTree.fromstring(pictures_svg(figure)).itertext())
    assert "a<b" in words


def test_reconstructions_stand_below_the_originals(latent: Group) -> None:
    figure = reconstructions("sprites", latent.trials)
    assert [row.label for row in figure.rows] == ["original", *(trial.label for trial in latent.trials)]
    second = latent.trials[1].attacked.assessment.source_reconstruction[1]
    assert (figure.rows[2].tiles[1] == pixels(second.double().numpy())).all()
    assert "sprites" in pictures_svg(figure)
