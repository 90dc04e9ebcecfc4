import base64
import io

import numpy as np
from PIL import Image

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.sheets import BUDGET, COLUMNS, QUALITIES, Strip, affordable_quality, explorer, sheet, strip

from .synthetic import changed, synthetic_runs


def opened(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB")).astype(float)


def test_the_page_can_put_the_adversarial_image_together_again(latent: Group) -> None:
    """x + d from the compressed sheet is x*, to within the compression of d on its own scale."""
    shown = explorer([latent])["attacks"][0]
    height, width = shown["size"]
    for model, trial in zip(shown["models"], latent.trials, strict=True):
        for pair in range(latent.pairs):
            source, page = opened(shown["source"][pair])[..., 0], opened(model["sheets"][pair])[..., 1]
            for k, (place, gain) in enumerate(zip(model["places"][pair], model["gains"][pair], strict=True)):
                number = 1 + 2 * place
                top, left = number // COLUMNS * height, number % COLUMNS * width
                d = (page[top : top + height, left : left + width] - 128) / 127 / gain
                expected = trial.result.adversarial[pair, k, 0].numpy()
                assert np.abs(source / 255 + d - expected).mean() < 0.02 / gain + 1 / 255


def test_pictures_that_look_the_same_are_kept_once(latent: Group) -> None:
    part = strip(latent.trials[0], 0)
    assert list(part.places) == sorted(part.places)
    assert len(part.tiles) == 1 + 2 * (max(part.places) + 1)
    adversarial = latent.trials[0].result.adversarial[0].numpy()
    for k in range(1, len(part.places)):
        if part.places[k] == part.places[k - 1]:
            first = part.places.index(part.places[k])
            assert np.abs(adversarial[k] - adversarial[first]).max() <= 1 / 255 + 1e-6


def test_sheets_stay_within_their_budget() -> None:
    """A thirtieth of the largest page (3 models × 10 pairs × 51 λ of 64×64, all noise) in that share of its budget."""
    noisy = np.random.default_rng(0).normal(128, 40, (103, 64, 64)).clip(0, 255).astype(np.uint8)
    strips = [Strip(tuple(noisy), tuple(range(51)), (1.0,) * 51)]
    quality = affordable_quality(strips, BUDGET // 30)
    size = sum(len(sheet(part.tiles, quality)) for part in strips)
    assert size <= BUDGET // 30
    assert quality < QUALITIES[0]
    assert affordable_quality(strips, 10**9) == QUALITIES[0]
    assert affordable_quality(strips, 1) == QUALITIES[-1]


def test_colour_pictures_keep_their_channels() -> None:
    compared = groups(synthetic_runs(models=1, pairs=1, count=3, channels=3, modes=("latent",)))
    shown = explorer(compared)["attacks"][0]
    assert shown["colour"]
    source = compared[0].result.source[0].numpy()
    assert np.abs(opened(shown["source"][0]).transpose(2, 0, 1) / 255 - source).max() <= 0.51 / 255


def test_numbers_that_are_not_finite_become_null() -> None:
    attacked = groups(synthetic_runs(models=1, pairs=1, count=3, modes=("latent",)))[0].trials[0].attacked
    nan = attacked.assessment.nll_error * float("nan")
    other = changed(attacked, assessment={"nll_error": nan})
    (model,) = explorer(groups([Record("a", "a", attacks={"attack": other})]))["attacks"][0]["models"]
    assert model["error"] == [[None, None, None]]
