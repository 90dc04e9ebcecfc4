"""``seatbelt audit``: how robust a model is, yours or one of ours, and whether that figure can be trusted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from seatbelt_vae.adapters import load_factory
from seatbelt_vae.attacks import Attackable
from seatbelt_vae.audits import Audit, audit
from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import Device, Json
from seatbelt_vae.data import ImageDataset, load_dataset
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.report.audit import alone, are_pictures, write_pictures
from seatbelt_vae.report.gate import Condition, checks
from seatbelt_vae.training import choose_device


def command(
    model: str,
    /,
    *,
    data: str | None = None,
    size: str | None = None,
    train_data: str | None = None,
    pairs: int = 10,
    full: bool = False,
    sibling: list[str] | None = None,
    require: list[str] | None = None,
    strict: bool = False,
    out: Path | None = None,
    seed: int = 0,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Audit a model.

    Args:
        model: A run's folder, or module:function, whose function of no arguments gives a model (this runs your code).
        data: Images that the model was not trained on: a folder, an .npz with images, or a name. A run has its own.
        size: Side of the images, pixels, or height and width such as 48x64. As they are stored, if not given.
        train_data: Images that the model was trained on, to see whether it only remembers them.
        pairs: Pairs of images.
        full: Attack with more of everything; half an hour and more.
        sibling: Another model of the same images, given as MODEL is: attacks on it are tried on the model. May be
            repeated.
        require: Condition such as f50>=0.3, auddc>=0.2, success@0.3<=0.5 or amplification<2. It holds where the whole
            95 % interval does. May be repeated.
        strict: Fail, too, where a flag speaks against the numbers.
        out: Folder for audit.json, its images and pictures; written nowhere if not given.
        seed: Of pairs, starts and random directions.
    """
    conditions = [Condition.parse(text, "--require") for text in require or []]
    images, trained_on = _images(model, data, train_data, size)
    found = audit(
        _model(model, device),
        images,
        suite="full" if full else "quick",
        pairs=pairs,
        siblings=[_model(word, device) for word in sibling or []],
        seed=seed,
        progress=True,
        train_images=trained_on,
    )
    if _is_factory(model):
        found = replace(found, record=found.record.model_copy(update={"model": model}))
    if out is not None:
        _write(found, out)
    show(found.record.model_dump(mode="json"), json, str(found).splitlines())
    held = checks(alone(found.record), conditions)
    reasons = [f"does not meet {check.condition.text}" for check in held if not check.passed]
    if strict and found.raised:
        reasons.append(f"flags {', '.join(found.raised)}")
    if reasons:
        raise RunError(f"{model}: {'; '.join(reasons)}")


def _is_factory(word: str) -> bool:
    """Whether a model is given as module:factory; a folder may have such a name, too."""
    return ":" in word and not Path(word).exists()


def _model(word: str, device: str) -> Attackable:
    found: Any
    if _is_factory(word):
        found = load_factory(word)
    else:
        found = RunFolder.open(Path(word)).model()
    if isinstance(found, nn.Module):
        found = found.to(choose_device(device))
    attackable: Attackable = found
    return attackable


def _images(
    model: str, data: str | None, train_data: str | None, size: str | None
) -> tuple[ImageDataset, ImageDataset | None]:
    """Images to attack, and images that the model was trained on, if they are known."""
    options = {} if size is None else {"size": size}
    trained_on = None if train_data is None else load_dataset(train_data, **options)
    if data is not None:
        return load_dataset(data, **options), trained_on
    if _is_factory(model):
        raise InputError(f"--data: {model} needs images that it was not trained on, such as --data images.npz")
    split = RunFolder.open(Path(model)).split
    return split.test, trained_on or split.train


def _write(found: Audit, out: Path) -> None:
    """The document and its images; the pictures where the library that draws is installed."""
    found.save(out)
    try:
        write_pictures(found, out)
    except InputError as error:
        note(f"seatbelt: no pictures: {error}")
    if not are_pictures(found.record):
        note(f"seatbelt: no panel: images of shape {found.record.probe.image_shape} are no pictures")
