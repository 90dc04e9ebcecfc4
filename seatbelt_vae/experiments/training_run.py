"""Training: done once, kept in the run's folder, taken up where it was stopped, and found there again."""

from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from typing import Any

import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.distributed import join, on_rank_zero, rank, world_size
from seatbelt_vae.experiments.build import build_model, build_objective, resolved
from seatbelt_vae.experiments.environment import environment
from seatbelt_vae.experiments.images import located, open_data
from seatbelt_vae.experiments.lock import hold
from seatbelt_vae.experiments.logs import check_log, logging_to
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.models.pretrained import saved
from seatbelt_vae.objectives import Objective
from seatbelt_vae.training import Settings, Update, choose_device, train


def run_training(
    spec: ExperimentSpec,
    out: str | Path | None = None,
    *,
    extend: bool = False,
    device: str = "auto",
    checkpoint_every: int = 500,
    log_every: int = 50,
    log: str | None = None,
    progress: bool = False,
) -> RunFolder:
    """Train what a spec describes, into its folder.

    What is finished is not done again, what was interrupted goes on, and a folder of another spec is refused.
    Several processes of ``torchrun`` train together, see :func:`seatbelt_vae.training.train`.

    Args:
        spec: what to train.
        out: the run's folder; ``runs/<name of the run>`` by default.
        extend: go on with the finished run in `out` for more steps.
        device: where to train.
        checkpoint_every: steps between checkpoints.
        log_every: steps between records.
        log: where the records go beside ``metrics.jsonl``: a key of `LOGS`.
        progress: show a bar on stderr.

    Returns:
        The run's folder.

    Raises:
        InputError: the spec, the data or the folder are wrong.
        RunError: the training failed, or another process is at work on the folder.
        KeyboardInterrupt: Ctrl-C; the message says how to go on.
    """
    where = choose_device(device)
    check_log(log)
    dataset = open_data(spec.data)
    spec = completed(spec, dataset)
    images = dataset.split(spec.data.test, spec.data.seed).train
    model, objective = ingredients(spec, images)  # refuses before there is a folder
    place = Path(out or Path("runs") / spec.run_name)
    join(where)
    with ExitStack() as held:
        folder = on_rank_zero(lambda: taken_up(place, spec, extend))
        if on_rank_zero(lambda: folder.finished and saved(folder.path)):
            return folder
        on_rank_zero(lambda: held.enter_context(hold(folder.path)))
        on_rank_zero(lambda: folder.add_environment(here(where)))
        if rank() > 0:
            log = None
        write = held.enter_context(logging_to(log, folder.path, folder.step))
        try:
            train(
                model,
                images,
                objective,
                **spec.training.model_dump(),
                device=device,
                out=folder.path,
                extend=True,  # the spec may ask for more steps than the last checkpoint did
                checkpoint_every=checkpoint_every,
                log_every=log_every,
                on_record=write,
                progress=progress,
            )
        except KeyboardInterrupt as stop:
            again = f"seatbelt train --out {quote(str(folder.path))} --resume"
            stop.args = (f"stopped at step {folder.step} of {spec.training.steps}, go on with: {again}",)
            raise
    return folder


def taken_up(place: Path, spec: ExperimentSpec, extend: bool) -> RunFolder:
    """The run's folder, made or found.

    Raises:
        InputError: it holds another run.
    """
    if extend:
        return RunFolder.open(place).extended(spec)
    return RunFolder.create(place, spec)


def here(device: torch.device) -> dict[str, Any]:
    """Where the training goes on: this process's environment, and how many there are."""
    found: dict[str, Any] = {**environment(device)}
    if world_size() > 1:
        found["processes"] = world_size()
    return found


def completed(spec: ExperimentSpec, dataset: ImageDataset) -> ExperimentSpec:
    """Write every default out, and make paths absolute: the spec that a run's folder holds and is named after.

    Raises:
        InputError: the settings do not go together, or the data are not those of the spec's digest.
    """
    spec = resolved(spec, dataset)
    return spec.model_copy(update={"data": located(spec.data)})


def ingredients(spec: ExperimentSpec, images: ImageDataset) -> tuple[HierarchicalVAE, Objective]:
    """Build the model and the objective of a completed spec.

    Raises:
        InputError: the spec cannot be trained on these images.
    """
    model = build_model(spec, images.image_shape)
    objective = build_objective(spec, images)
    Update(model, images, objective, Settings(**spec.training.model_dump()))
    return model, objective
