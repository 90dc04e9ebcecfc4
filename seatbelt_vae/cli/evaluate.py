"""``seatbelt evaluate``: how good a trained model is."""

from pathlib import Path

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Json

NAME = "evaluate"
EXAMPLE = "seatbelt evaluate runs/a --json"


def command(
    run: Path,
    /,
    *,
    samples: int = 1,
    iwae: int = 0,
    aggregate: int = 1000,
    seed: int = 0,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Measure a trained model on its test images: the ELBO and its parts, in nats per image, without beta.

    Args:
        run: The run's folder.
        samples: Draws of z for each image.
        iwae: Draws for the importance-weighted bound; 0 leaves it out.
        aggregate: Samples at which the aggregate posterior over all training images is measured (total correlation,
            MIG); 0 leaves it out.
        seed: Seed of the draws.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.experiments import RunFolder, run_evaluation

    evaluation = run_evaluation(
        RunFolder.open(run),
        samples=samples,
        iwae_samples=iwae,
        aggregate_samples=aggregate,
        seed=seed,
        device=device,
        progress=True,
    )
    rows = [(name, number(value)) for name, value in evaluation.items() if name != "settings"]
    show({"run": str(run), **evaluation}, json, columns(rows))
