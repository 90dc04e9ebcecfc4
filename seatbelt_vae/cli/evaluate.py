"""``seatbelt evaluate``: how good a trained model is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatbelt_vae.cli.console import columns, note, number, show
from seatbelt_vae.cli.options import Json, numbers

NAME = "evaluate"
EXAMPLE = "seatbelt evaluate runs/a --measure elbo,noise,dci"


def command(
    run: Path,
    /,
    *,
    measure: str | None = None,
    samples: int = 1,
    iwae: int = 0,
    aggregate: int = 1000,
    scales: str | None = None,
    seed: int = 0,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Measure a trained model on images that it has not seen, in nats per image and without beta.

    What has been measured with the same settings is not measured again; what was interrupted goes on.

    Args:
        run: The run's folder.
        measure: all, or some of elbo, iwae, image-quality, active-units, total-correlation, mig, dci, sap,
            factor-vae-score, noise, traversals, weights, training-time; by default all that are quick, which are those
            but iwae, dci, sap and factor-vae-score.
        samples: Draws of z for each image.
        iwae: Draws for the importance-weighted bound; 0 leaves it out, unless it is named: then 64.
        aggregate: Samples at which the aggregate posterior over all training images is measured (total correlation,
            MIG); 0 leaves it out.
        scales: Standard deviations of the noise for data in [-1, 1], as 0.01,0.1,1.
        seed: Seed of the draws.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.experiments import RunFolder, run_evaluation

    evaluation = run_evaluation(
        RunFolder.open(run),
        measure if measure in (None, "all") else measure.split(","),
        samples=samples,
        iwae_samples=iwae,
        aggregate_samples=aggregate,
        scales=numbers(scales, "--scales") if scales else None,
        seed=seed,
        device=device,
        say=note,
        progress=True,
    )
    show({"run": str(run), **evaluation}, json, columns([("", "", "", "better"), *_rows(evaluation)]))


def _rows(evaluation: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Each number with its standard error, its unit, and which way is better."""
    return [
        (key, _with_error(evaluation[key], evaluation.get(f"{key}_error")), meaning["unit"], meaning["better"])
        for key, meaning in evaluation["quantities"].items()
    ]


def _with_error(value: Any, error: Any) -> str:
    if isinstance(value, list) and isinstance(error, list):
        return ", ".join(_with_error(*pair) for pair in zip(value, error, strict=True))
    return number(value) + ("" if error is None else f" ± {error:.2g}")
