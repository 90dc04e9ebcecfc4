"""What stands behind the page: questions, uploads, answers, and work that can be given up."""

import contextlib
import io
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seatbelt_vae.attacks import attack
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.explorer.answer import answer
from seatbelt_vae.explorer.question import DIVERGENCES, Question
from seatbelt_vae.explorer.runs import Run, check_file, noisy, open_runs
from seatbelt_vae.explorer.serve import serve
from seatbelt_vae.explorer.work import Cancelled, Done, Step, watched
from seatbelt_vae.progress import progress_bar

QUESTION = Question("latent", "kl", "decoder", "penalty", "1, 10", 5)


def ask(question: Question, runs: list[Path]) -> tuple[Run, object]:
    opened = open_runs(runs)
    first = next(iter(opened.values()))
    source, target = first.image(0, None), first.image(1, None)
    lines = question.lines([str(path) for path in runs], "test[[0]]", "test[[1]]")
    return first, answer(question, opened, source, target, lines)


@pytest.mark.parametrize("objective", DIVERGENCES)
def test_every_choice_of_the_page_is_an_attack(objective: str) -> None:
    for divergence in DIVERGENCES[objective] or ("",):
        for layers in ("decoder", "all", "bottom", "top"):
            budget = "ball" if objective == "damage" else "penalty"
            made = replace(QUESTION, objective=objective, divergence=divergence, layers=layers, budget=budget).parts()
            assert made[0].name == objective


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": "1, x"}, "values '1, x': must be numbers such as"),
        ({"values": ""}, "values: 0 given"),
        ({"values": "1 " * 17}, "values: 17 given, must be 1 to 16"),
        ({"values": "-1"}, "must be one or more finite numbers"),
        ({"iterations": 0}, "iterations 0: must be from 1"),
        ({"objective": "damage", "divergence": "reconstruction"}, "needs limits of distortion"),
    ],
)
def test_what_is_no_attack_gets_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(QUESTION, **change).parts()  # type: ignore[arg-type]


def test_the_answer_is_the_attack_and_its_lines_repeat_it(runs: list[Path]) -> None:
    first, found = ask(QUESTION, runs[:1])
    objective, budget, solver = QUESTION.parts()
    wanted = attack(first.model, first.image(0, None), first.image(1, None), objective, budget, solver)
    numbers = json.loads(found.numbers())[first.name]  # type: ignore[attr-defined]
    assert numbers["objective"] == pytest.approx(wanted.objective[0].tolist())
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(found.lines, names)  # type: ignore[attr-defined]
    assert torch.equal(names["result"].adversarial, wanted.adversarial)  # type: ignore[attr-defined]


def test_two_models_have_a_row_each_and_the_place_moves_the_pictures(runs: list[Path]) -> None:
    _, found = ask(QUESTION, runs)
    first, second = found.picture(0), found.picture(1)  # type: ignore[attr-defined]
    assert "vae (VAE)" in first
    assert "seatbelt (" in first
    assert first != second


def test_an_upload_becomes_an_image_of_the_data(runs: list[Path], tmp_path: Path) -> None:
    run = Run.open(runs[0])
    Image.fromarray(np.full((90, 50, 3), 255, dtype=np.uint8)).save(tmp_path / "white.png")
    assert torch.equal(run.image(0, str(tmp_path / "white.png")), torch.ones(1, 1, 32, 32))


def test_uploads_that_are_no_pictures_or_too_large_get_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text.png"
    text.write_text("hello")
    with pytest.raises(InputError, match=r"text\.png: is not a picture that can be read"):
        check_file(text)
    Image.fromarray(np.zeros((64, 64), dtype=np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr("seatbelt_vae.explorer.runs.MOST_PIXELS", 4000)
    with pytest.raises(InputError, match="has 64×64 pixels, at most 4000"):
        check_file(tmp_path / "a.png")
    monkeypatch.setattr("seatbelt_vae.explorer.runs.LARGEST_FILE", 10)
    with pytest.raises(InputError, match="at most 0 are taken"):
        check_file(tmp_path / "a.png")


def test_runs_are_needed_and_must_have_images_of_one_shape(runs: list[Path]) -> None:
    with pytest.raises(InputError, match="runs: none given"):
        open_runs([])
    with pytest.raises(InputError, match="is not a run folder"):
        serve(["nowhere"])
    assert len(open_runs([runs[0], runs[0]])) == 2


def test_noise_is_of_its_scale_and_within_the_bounds() -> None:
    image = torch.full((1, 1, 100, 100), 0.5)
    found = noisy(image, 0.1, (0.0, 1.0))
    assert float((found - image).std()) == pytest.approx(0.1, rel=0.05)
    assert torch.equal(noisy(image, 0.1, (0.0, 1.0)), found)
    assert float(noisy(image, 9.0, (0.0, 1.0)).max()) == 1


def test_work_tells_its_steps_and_its_result() -> None:
    go_on = threading.Event()

    def work() -> str:
        with progress_bar("Digging", 2) as advance:
            go_on.wait(10)
            advance()
        return "gold"

    steps = watched(work)
    assert next(steps) == Step("Digging", 0, 2)
    go_on.set()
    assert list(steps)[-1] == Done("gold")


def test_work_that_fails_raises_here() -> None:
    def work() -> None:
        raise RunError("broken")

    with pytest.raises(RunError, match="broken"):
        list(watched(work))


def test_work_ends_when_nobody_listens() -> None:
    ended = threading.Event()
    go_on = threading.Event()

    def work() -> None:
        try:
            with progress_bar("Digging", 10) as advance:
                while True:
                    go_on.wait(10)
                    advance()
        except Cancelled:
            ended.set()
            raise

    steps = watched(work)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    go_on.set()
    assert ended.wait(10)
