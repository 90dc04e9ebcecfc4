"""What a notebook shows of results: their text, escaped, a table, pictures that are the images to the pixel."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import seatbelt_vae as sb
from seatbelt_vae.attacks.assessment import assess
from seatbelt_vae.audits import Audit
from seatbelt_vae.experiments.evaluation.run import Evaluation
from seatbelt_vae.measures import Attacked
from seatbelt_vae.notebook import COLUMNS, ROWS, rich, spread
from tests.tiny import network

LONGEST = 100_000
"""Bytes of a result in a notebook."""


class Page(HTMLParser):
    """The words of each cell and the pictures of a piece of HTML; a tag that is not closed in its turn fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.pictures: list[Tensor] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            content = str(dict(attrs)["src"]).removeprefix("data:image/png;base64,")
            picture = Image.open(io.BytesIO(base64.b64decode(content)))
            self.pictures.append(torch.from_numpy(np.array(picture)))
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def attacked() -> Attacked:
    shape = (3, 28, 36)
    model = sb.models.vae(shape, latent_sizes=(2,), network=network(shape, 2)).eval()
    source, target = torch.rand(2, 3, *shape)
    result = sb.attack(model, source, target, sb.Latent(), sb.Penalty([0.1, 0.2, 0.5, 1.0, 2.0, 4.0]), sb.Cold(2))
    return Attacked(result, assess(model, result))


def shown(result: Any) -> Page:
    html = result._repr_html_()
    assert len(html) < LONGEST
    assert re.search(r"<script|http|javascript|\son\w+=", html) is None
    return Page(html)


def test_an_attack_is_a_text_a_table_and_pictures(attacked: Attacked) -> None:
    result = attacked.result
    page = shown(result)
    assert page.words[0] == repr(result)
    assert page.words[1:4] == ["λ", "‖d‖", "Δ"]
    at = spread(6)
    assert page.words[4] == f"{result.budget.values[0]:.4g}"
    assert page.words[4 + 3 * (COLUMNS - 1) + 1] == f"{result.distortion[:, 5].mean():.4g}"
    assert len(page.pictures) == ROWS * (2 + len(at))
    expected = [result.source[0], *(result.adversarial[0, place] for place in at), result.target[0]]
    for picture, image in zip(page.pictures, expected, strict=False):
        assert torch.equal(picture, (255 * image).round().byte().permute(1, 2, 0))


def test_what_the_model_makes_of_an_attack(attacked: Attacked) -> None:
    page = shown(attacked)
    assert "success" in page.words
    largest = int(attacked.result.distortion.mean(0).argmax())
    made = attacked.assessment.adversarial_reconstruction[0, largest]
    assert torch.equal(page.pictures[4], (255 * made.clamp(0, 1)).round().byte().permute(1, 2, 0))


def test_texts_are_a_few_lines_without_tensors(attacked: Attacked) -> None:
    for result in (attacked, attacked.result, attacked.assessment):
        assert 1 < len(str(result).splitlines()) < 9
        assert "tensor" not in str(result)


def test_an_evaluation_is_a_table_with_units() -> None:
    evaluation = Evaluation({"elbo": -12.25, "measurements": {}, "active_units": [1, 2]})
    page = shown(evaluation)
    assert page.words[0] == "Evaluation: 1 numbers"
    assert page.words[-2:] == ["-12.25", "nats"]
    assert evaluation == {"elbo": -12.25, "measurements": {}, "active_units": [1, 2]}


def test_words_are_escaped() -> None:
    words = "<script>alert(1)</script> & \"more\" 'of' it"
    html = rich(words, {words: [words]}, {words: torch.zeros(1, 1, 2, 2)})
    assert "<script" not in html
    assert Page(html).words == [words] * 4


def test_images_of_other_bounds_and_without_values() -> None:
    page = Page(rich("", {}, {"x": torch.tensor([[[[-1.0, 1.0], [0.0, torch.nan]]]])}, bounds=(-1, 1)))
    assert page.pictures[0].tolist() == [[0, 255], [128, 128]]


def test_large_images_are_made_smaller_and_volumes_are_left_out() -> None:
    blocks = torch.randint(256, (1, 3, 128, 64)) / 255
    large = blocks.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert torch.equal(Page(rich("", {}, {"x": large})).pictures[0], Page(rich("", {}, {"x": blocks})).pictures[0])
    for odd in (torch.rand(2, 1, 4, 4, 4), torch.rand(2, 9), torch.rand(2, 2, 4, 4)):
        assert rich("volume", {}, {"x": odd}) == "<pre>volume</pre>"


def test_training_is_one_line(tmp_path: Path) -> None:
    shape = (1, 28, 28)
    model = sb.models.vae(shape, latent_sizes=(2,), network=network(shape, 2))
    images = np.random.default_rng(0).random((4, 28, 28))
    result = sb.train(model, images, sb.objectives.ELBO(), steps=1, batch_size=2, device="cpu")
    assert re.fullmatch(r"TrainingResult: 1 steps in \d+ s, 1 records", str(result))


def test_an_audit_shows_the_worst_images() -> None:
    shape = (1, 28, 28)
    torch.manual_seed(0)
    model = sb.models.vae(shape, latent_sizes=(2,), network=network(shape, 2))
    found: Audit = sb.audit(model, torch.rand(4, *shape), suite="signs", pairs=2)
    page = shown(found)
    assert page.words[0] == str(found)
    assert torch.equal(page.pictures[0], (255 * found.tensors["source"][0, 0]).round().byte())
    assert len(page.pictures) == 2 * 7


def test_an_attack_without_a_target_tells_its_damage(attacked: Attacked) -> None:
    settings = {**attacked.result.settings, "objective": {**attacked.result.settings["objective"], "name": "damage"}}
    untargeted = Attacked(replace(attacked.result, settings=settings), attacked.assessment)
    assert str(untargeted).endswith(
        f"mean damage from {attacked.damage[:, 0].mean():.3g} to {attacked.damage[:, -1].mean():.3g}"
    )
    assert "target" not in shown(untargeted).words
