"""Whether runs are what they were: their files against the manifests, and a sample of their results computed again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from seatbelt_vae.attacks.again import discrepancy
from seatbelt_vae.attacks.assessment import reconstruct
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation import MEASUREMENTS, EvaluationSettings, Subject
from seatbelt_vae.experiments.store import RunFolder, runs_in
from seatbelt_vae.experiments.sweep_spec import EvaluationTable
from seatbelt_vae.experiments.table import numbers
from seatbelt_vae.manifest import Manifest
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.settings import checked
from seatbelt_vae.storage import unnamed
from seatbelt_vae.training import choose_device
from seatbelt_vae.training.history import FILE as HISTORY

AGAIN = ("elbo", "weights")
"""Measurements that are made again."""

SHARE = 1e-3
"""What numbers may differ by: this share of the largest of their kind. Other devices and libraries round otherwise."""


@dataclass(frozen=True)
class Check:
    """What was found of a run.

    Attributes:
        run: its folder.
        files: by name: ``ok``, ``changed``, ``missing``, or ``unnamed``: no manifest names it.
        results: by name: ``same``, ``differs …`` or ``not computed …``, and why.
    """

    run: Path
    files: Mapping[str, str]
    results: Mapping[str, str]

    @property
    def wrong(self) -> list[str]:
        """What is wrong, a line each: files that are changed or missing, results that differ."""
        found = {name: state for name, state in self.files.items() if state in ("changed", "missing")}
        found |= {name: words for name, words in self.results.items() if words.startswith("differs")}
        return [f"{self.run / name}: {words}" for name, words in found.items()]

    def count(self, state: str) -> int:
        """How many files are in a state."""
        return list(self.files.values()).count(state)


def verify(
    path: str | Path,
    *,
    rows: int = 2,
    data: str | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
) -> list[Check]:
    """Check a run, or every run of a store: all files, and a sample of the results.

    Of an evaluation the ELBO on all test images and the weight norms are computed again. Of an attack it is r(d) and
    ‖d‖ of the first pairs at every value of the budget, and how the model decodes these images.

    Args:
        path: a run's folder, or a folder of them.
        rows: pairs of each attack that are computed again; 0 checks the files alone.
        data: where the run's images are now, if they were moved.
        device: where to compute.
        say: called with a line before each run.

    Returns:
        What was found of each run.

    Raises:
        InputError: there is no run or no such device, or `rows` is below 0.

    Example:
        ``[line for check in verify("runs") for line in check.wrong]``
    """
    if rows < 0:
        raise InputError(f"rows: {rows} is too small, use 0 or more")
    place = choose_device(device)
    found = []
    for run in runs_in(path):
        say(f"{run}")
        files = dict(_files(run))
        results: dict[str, str] = {}
        if rows > 0 and not run.name.startswith("."):  # hidden is what a sweep keeps for itself: files alone
            results = dict(_results(run, rows, data, place))
        found.append(Check(run, files, results))
    return found


def _files(run: Path) -> Iterator[tuple[str, str]]:
    manifest = Manifest(run.absolute())
    for name in manifest.notes():
        state = manifest.state(run / name, grows=name == HISTORY)
        if state != "removed":
            yield name, state
    for path in unnamed(run):
        yield manifest.name(path), "unnamed"


def _results(run: Path, rows: int, data: str | None, device: torch.device) -> Iterator[tuple[str, str]]:
    """Each result that was computed again, and what came of it."""
    try:
        folder = RunFolder.open(run, data)
        evaluation = folder.evaluation
        attacks = folder.attacks
        if not folder.finished:
            return
        model = folder.model().to(device)
    except InputError as error:
        yield "results", f"not computed ({error})"
        return
    for name in AGAIN:
        if name in evaluation.get("measurements", {}):
            yield name, _told(partial(_measured_again, folder, model, name))
    for name in attacks:
        yield name, _told(partial(_attacked_again, folder, model, name, rows))


def _told(compare: Callable[[], list[str]]) -> str:
    """The outcome of a comparison in words."""
    try:
        differences = compare()
    except InputError as error:
        return f"not computed ({error})"
    if differences:
        return f"differs: {'; '.join(differences)}"
    return "same"


def _measured_again(folder: RunFolder, model: HierarchicalVAE, name: str) -> list[str]:
    """Make a measurement again with its own settings, and name the numbers that differ."""
    evaluation = folder.evaluation
    asked = {"measures": (name,), **evaluation["measurements"][name]["settings"]}
    settings = EvaluationSettings(**checked(EvaluationTable, asked, name).model_dump())
    again = MEASUREMENTS[name].make(Subject(model, folder.split, settings)).values
    found = []
    for key, value in again.items():
        was = torch.tensor(numbers(evaluation.get(key)))
        now = torch.tensor(numbers(value))
        if not _alike(was, now):
            found.append(f"{key} is {now.tolist()}, was {was.tolist()}")
    return found


def _attacked_again(folder: RunFolder, model: HierarchicalVAE, name: str, rows: int) -> list[str]:
    """Compute r, ‖d‖ and reconstructions of the first pairs again, and name what differs."""
    attacked = folder.attack(name)
    result, kept = attacked.result, attacked.assessment
    here = slice(0, rows)
    images = result.adversarial[here]
    rounding = {"distortion": torch.finfo(images.dtype).eps * _longest(result.source[here])}  # of x + d
    again = {
        "discrepancy": (discrepancy(model, result, rows), result.discrepancy[here]),
        "distortion": ((images - result.source[here, None]).flatten(2).norm(dim=2), result.distortion[here]),
        "source_reconstruction": (reconstruct(model, result.source[here]), kept.source_reconstruction[here]),
        "adversarial_reconstruction": (
            reconstruct(model, images.flatten(0, 1)),
            kept.adversarial_reconstruction[here].flatten(0, 1),
        ),
    }
    found = []
    for name, (now, was) in again.items():
        if not _alike(was, now, rounding.get(name, 0.0)):
            found.append(f"{name} by up to {(now - was).abs().max().item():.3g}")
    return found


def _longest(images: Tensor) -> float:
    return images.flatten(1).norm(dim=1).max().item()


def _alike(was: Tensor, now: Tensor, least: float = 0.0) -> bool:
    if was.shape != now.shape:
        return False
    was, now = was.double(), now.double()
    most = was.nan_to_num().abs().max().item()
    return torch.allclose(was, now, rtol=SHARE, atol=max(SHARE * most, least), equal_nan=True)
