"""Train, measure, attack: each step of an experiment done once, kept in the run's folder, and found there again."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from seatbelt_vae import metrics
from seatbelt_vae.data import ImageDataset
from seatbelt_vae.experiments.family import build_model, build_objective, resolved
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.store import RunFolder, located, open_data
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.training import Settings, Update, choose_device, seconds_spent, train


def run_training(
    spec: ExperimentSpec,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    checkpoint_every: int = 500,
    log_every: int = 50,
    progress: bool = False,
) -> RunFolder:
    """Train what a spec describes, into its folder.

    What is finished is not done again, what was interrupted goes on, and a folder of another spec is refused.

    Args:
        spec: what to train.
        out: the run's folder; ``runs/<name of the run>`` by default.
        device: where to train.
        checkpoint_every: steps between checkpoints.
        log_every: steps between records.
        progress: show a bar on stderr.

    Returns:
        The run's folder.

    Raises:
        InputError: the spec, the data or the folder are wrong.
        RunError: the training failed.
        KeyboardInterrupt: Ctrl-C; the message says how to go on.
    """
    choose_device(device)
    dataset = open_data(spec.data)
    spec = resolved(spec, dataset)
    spec = spec.model_copy(update={"data": located(spec.data)})
    images = dataset.split(spec.data.test, spec.data.seed).train
    model, objective = build_model(spec, dataset.image_shape), build_objective(spec)
    Update(model, images, objective, Settings(**spec.training.model_dump()))  # refuses before there is a folder
    folder = RunFolder.create(out or Path("runs") / spec.run_name, spec)
    if folder.finished:
        return folder
    try:
        train(
            model,
            images,
            objective,
            **spec.training.model_dump(),
            device=device,
            out=folder.path,
            resume=True,
            checkpoint_every=checkpoint_every,
            log_every=log_every,
            progress=progress,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped at step {folder.step} of {spec.training.steps}, "
            f"go on with: seatbelt train --out {folder.path} --resume"
        ) from None
    return folder


def run_evaluation(
    folder: RunFolder,
    *,
    samples: int = 1,
    iwae_samples: int = 0,
    aggregate_samples: int = 1000,
    seed: int = 0,
    device: str = "auto",
    progress: bool = False,
) -> dict[str, Any]:
    """Measure a trained model on the test images and keep the numbers in ``evaluation.json``.

    Args:
        folder: the run.
        samples: draws of z for each image.
        iwae_samples: draws for the importance bound; 0 leaves it out.
        aggregate_samples: samples at which the aggregate posterior of the top layer over all *training* images is
            evaluated; 0 leaves out what follows from it.
        seed: of the draws.
        device: where to compute.
        progress: show bars on stderr.

    Returns:
        ``elbo`` (nats per image, without β), its standard error, ``log_likelihood``, ``kl``, ``kl_1`` … ``kl_L``,
        ``layer_kl``, ``active_units`` per layer, ``weight_norms`` (encoder, decoder), ``images``, ``training_seconds``,
        of the aggregate posterior of z_L ``total_correlation``, ``mutual_information``, ``dimension_wise_kl`` and
        ``entropy`` with their standard errors, ``mig`` where the images have factors, ``iwae`` if asked for, and the
        settings.

    Raises:
        InputError: the run is not finished, or its data are gone.
    """
    draws = {"samples": samples, "iwae_samples": iwae_samples, "aggregate_samples": aggregate_samples}
    settings = {"split": "test", **draws, "seed": seed}
    if (known := folder.evaluation).get("settings") == settings:
        return known
    model, images = folder.model().to(choose_device(device)), folder.split.test
    bound = metrics.elbo(model, images, samples, seed=seed, progress=progress)
    means = [q.mean for q in metrics.encode_images(model, images)]
    evaluation: dict[str, Any] = {
        **bound.summary(),
        "layer_kl": bound.layer_kl.mean(0).tolist(),
        "active_units": list(metrics.active_units(means).counts),
        "weight_norms": asdict(metrics.weight_norms(model)),
        "images": len(images),
        "training_seconds": seconds_spent(folder.path),
    }
    if iwae_samples:
        importance = metrics.iwae(model, images, iwae_samples, seed=seed, progress=progress)
        evaluation |= {"iwae": importance.mean, "iwae_error": importance.standard_error}
    if aggregate_samples:
        evaluation |= aggregate_measures(model, folder.split.train, aggregate_samples, seed, progress)
    evaluation["settings"] = settings
    folder.save_evaluation(evaluation)
    return evaluation


def aggregate_measures(
    model: HierarchicalVAE, images: ImageDataset, samples: int, seed: int, progress: bool
) -> dict[str, float]:
    """What the aggregate posterior of the top layer over a whole data set tells; never a minibatch estimate."""
    top = metrics.encode_images(model, images, seed=seed, progress=progress)[-1]
    aggregate = metrics.aggregate_posterior(top, samples, seed=seed, progress=progress)
    found = {name: value for name, value in aggregate.summary().items() if name not in ("kl", "kl_error")}
    if images.factors is not None and any(len(column.unique()) > 1 for column in images.factors.T):
        found["mig"] = metrics.mig(top, images.factors, samples, seed=seed, progress=progress).score
    return found
