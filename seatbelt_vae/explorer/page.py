"""The page: what is picked on the left of an event, what is shown on its right."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.explorer.answer import Answer, answer
from seatbelt_vae.explorer.question import DIVERGENCES, MOST_ITERATIONS, Question
from seatbelt_vae.explorer.runs import Run, noisy
from seatbelt_vae.explorer.work import Done, Step, watched
from seatbelt_vae.pixels import Pixels, pixels, unit

NONE = "none"
SHOWN = 256
"""Pixels that a picture is wide at least."""

MOST_SLIDERS = 64
REACH = 4.0
"""How far from 0 a latent's slider goes, in standard deviations of N(0, 1)."""

VALUES = {"penalty": "0.1, 0.3, 1, 3, 10, 30, 100", "ball": "0.25, 0.5, 1, 2"}
STYLE = "#pictures { overflow-x: auto; }"
"""A row of pictures is wider than a phone."""

EMPTY = "<p>Pick a pair and press <b>Attack</b>.</p>"


def build(runs: Mapping[str, Run]) -> gr.Blocks:
    """The page of some runs.

    Args:
        runs: the models, by the names that the page shows.
    """
    with gr.Blocks(title="Seatbelt explorer", analytics_enabled=False) as page:
        gr.Markdown("# Seatbelt explorer\nPick two images, attack a model, move the sliders.")
        with gr.Row():
            first = gr.Dropdown(list(runs), value=next(iter(runs)), label="Model")
            second = gr.Dropdown([NONE, *runs], value=NONE, label="Beside it")
        with gr.Tab("Attack"):
            _attack_tab(runs, first, second)
        with gr.Tab("Latents"):
            _latents_tab(runs, first)
        with gr.Tab("Noise"):
            _noise_tab(runs, first)
    return page


def _attack_tab(runs: Mapping[str, Run], first: gr.Dropdown, second: gr.Dropdown) -> None:
    most = _most(runs)
    state = gr.State(None)
    with gr.Row():
        source = _picker("Source", runs, 0, most)
        target = _picker("Target", runs, 1, most)
    with gr.Row():
        objective = gr.Radio(list(DIVERGENCES), value="latent", label="Objective")
        divergence = gr.Dropdown(DIVERGENCES["latent"], value="kl", label="Divergence")
        layers = gr.Dropdown(["decoder", "all", "bottom", "top"], value="decoder", label="Layers")
    with gr.Row():
        budget = gr.Radio(list(VALUES), value="penalty", label="Budget")
        values = gr.Textbox(VALUES["penalty"], label="Prices λ, or radii ε", max_length=200)
        iterations = gr.Slider(1, MOST_ITERATIONS, value=200, step=1, label="Iterations at most")
    with gr.Row():
        start = gr.Button("Attack", variant="primary", elem_id="attack")
        stop = gr.Button("Cancel", elem_id="cancel")
    status = gr.Markdown("", elem_id="status")
    place = gr.Slider(0, 1, value=0, step=1, label="Value", interactive=True, elem_id="place", visible=False)
    picture = gr.HTML(EMPTY, elem_id="pictures")
    with gr.Accordion("Python", open=False):
        lines = gr.Code("", language="python", label="The same attack")
    with gr.Row():
        as_picture = gr.DownloadButton("Picture", visible=False)
        as_numbers = gr.DownloadButton("Numbers", visible=False)

    def choices(name: str, kind: str) -> tuple[Any, Any, Any]:
        offered = DIVERGENCES[name]
        kind = "ball" if name == "damage" else kind
        chosen = offered[0] if offered else None
        return gr.update(choices=offered, value=chosen, visible=bool(offered)), kind, VALUES[kind]

    def run(*asked: Any) -> Iterator[tuple[Any, ...]]:
        quiet = gr.skip()
        try:
            for step in _attacking(runs, *asked):
                if isinstance(step, Step):
                    yield f"{step.description}: {step.done} of {step.total}", *(quiet,) * 6
                else:
                    yield _shown(step.value)
        except (InputError, RunError) as error:
            yield f"**{error}**", *(quiet,) * 6

    inputs = [first, second, *source, *target, objective, divergence, layers, budget, values, iterations]
    outputs = [status, state, place, picture, lines, as_picture, as_numbers]
    objective.change(choices, [objective, budget], [divergence, budget, values], api_visibility="private")
    budget.input(lambda kind: VALUES[kind], budget, values, api_visibility="private")
    event = start.click(run, inputs, outputs, concurrency_id="work", api_name="attack")
    stopped = stop.click(None, cancels=[event], api_visibility="private")
    stopped.then(lambda: "Cancelled.", None, status, queue=False, api_visibility="private")
    place.input(_moved, [state, place], [picture, place, as_picture], api_visibility="private")


def _attacking(
    runs: Mapping[str, Run], first: str, second: str, x: float, x_file: str | None, t: float, t_file: str | None,
    *words: Any,
) -> Iterator[Step | Done[Answer]]:  # fmt: skip
    """Attack the picked pair on one or two models."""
    question = Question(*words)
    chosen = {name: runs[name] for name in dict.fromkeys((first, second)) if name != NONE}
    run = runs[first]
    source = run.image(x, x_file)
    target = run.image(t, t_file)
    paths = [str(each.folder.path) for each in chosen.values()]
    lines = question.lines(paths, _said("source", x, x_file), _said("target", t, t_file))
    yield from watched(lambda: answer(question, chosen, source, target, lines))


def _said(name: str, number: float, upload: str | None) -> str:
    """What gives an image in Python."""
    if upload:
        return f"{name}_picture  # your upload, as a tensor (1, C, H, W)"
    return f"test[[{int(number)}]]"


def _shown(found: Answer) -> tuple[Any, ...]:
    """All that the page shows of an answer."""
    place = found.middle
    slider = gr.update(maximum=found.places - 1, value=place, visible=found.places > 1, label=found.value(place))
    picture = found.picture(place)
    numbers = _file("numbers.json", found.numbers())
    return "Done.", found, slider, picture, found.lines, _file("pictures.svg", picture), numbers


def _moved(found: Answer | None, place: float) -> tuple[Any, Any, Any]:
    if found is None:
        return EMPTY, gr.skip(), gr.skip()
    picture = found.picture(int(place))
    return picture, gr.update(label=found.value(int(place))), _file("pictures.svg", picture)


@cache
def _downloads() -> tempfile.TemporaryDirectory[str]:
    """Where downloads lie while the process lives."""
    return tempfile.TemporaryDirectory(prefix="seatbelt-explorer-")


def _file(name: str, content: str) -> Any:
    """A button that downloads a text; the same text is one file, however often the slider comes by."""
    folder = Path(_downloads().name) / hashlib.sha256(content.encode()).hexdigest()
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return gr.update(value=str(path), visible=True)


def _latents_tab(runs: Mapping[str, Run], first: gr.Dropdown) -> None:
    with gr.Row():
        number = gr.Slider(0, _most(runs), value=0, step=1, label="Image")
        depth = max(len(run.model.latent_sizes) for run in runs.values())
        layer = gr.Slider(1, max(2, depth), value=1, step=1, label="Layer, from the bottom", visible=depth > 1)
    picture = gr.Image(
        label="What the decoder makes of it", height=SHOWN, interactive=False, buttons=[], elem_id="decoded"
    )

    @gr.render([first, number, layer], concurrency_limit=2)  # type: ignore[untyped-decorator]
    def sliders(name: str, image: float, asked: float) -> None:
        model = runs[name].model
        with torch.no_grad():
            z = [q.loc for q in model.encode(runs[name].image(image, None))]
        at = min(int(asked), len(z)) - 1
        made = []
        with gr.Row():
            for place, value in enumerate(z[at][0, :MOST_SLIDERS].tolist()):
                made.append(gr.Slider(-REACH, REACH, value=round(value, 2), label=f"z_{place + 1}", min_width=120))

        def decoded(*values: float) -> Pixels:
            moved = z[at].clone()
            moved[0, : len(values)] = torch.tensor(values)
            with torch.no_grad():
                mean = model.decode([*z[:at], moved, *z[at + 1 :]]).mean
            return _pixels(mean, runs[name])

        gr.on([slider.release for slider in made], decoded, made, picture, api_visibility="private")


def _noise_tab(runs: Mapping[str, Run], first: gr.Dropdown) -> None:
    with gr.Row():
        number = gr.Slider(0, _most(runs), value=0, step=1, label="Image")
        scale = gr.Slider(0, 1, value=0.1, label="Scale of the noise, in pixels")
    with gr.Row():
        before = gr.Image(label="With noise", height=SHOWN, interactive=False, buttons=[])
        after = gr.Image(label="Reconstruction", height=SHOWN, interactive=False, buttons=[])

    def shown(name: str, image: float, noise: float) -> tuple[Pixels, Pixels]:
        run = runs[name]
        disturbed = noisy(run.image(image, None), noise, run.test.bounds)
        with torch.no_grad():
            return _pixels(disturbed, run), _pixels(run.model.reconstruct(disturbed), run)

    gr.on([number.release, scale.release], shown, [first, number, scale], [before, after], api_name="noise")


def _picker(title: str, runs: Mapping[str, Run], value: int, most: int) -> tuple[gr.Slider, gr.UploadButton]:
    """A test image by its number, or an upload; the picture shows which."""
    run = next(iter(runs.values()))
    with gr.Column():
        shown = gr.Image(_pixels(run.image(value, None), run), label=title, height=SHOWN, interactive=False, buttons=[])
        number = gr.Slider(0, most, value=value, step=1, label=f"{title}: test image")
        upload = gr.UploadButton("or upload a picture", size="sm", elem_id=f"upload-{title.lower()}")

        def look(image: float, file: str | None) -> Pixels:
            try:
                return _pixels(run.image(image, file), run)
            except InputError as error:
                raise gr.Error(str(error), duration=None, print_exception=False) from error

        gr.on([number.release, upload.upload], look, [number, upload], shown, api_name=f"look_{title.lower()}")
    return number, upload


def _most(runs: Mapping[str, Run]) -> int:
    return min(len(run.test) for run in runs.values()) - 1


def _pixels(images: torch.Tensor, run: Run) -> Pixels:
    """The first image as bytes, each pixel a square."""
    found = pixels(unit(images[0], run.test.bounds))
    times = max(1, SHOWN // found.shape[0])
    return found.repeat(times, axis=0).repeat(times, axis=1)
