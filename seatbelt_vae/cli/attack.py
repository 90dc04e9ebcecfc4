"""``seatbelt attack``: turn source images into target images behind the model's back."""

from pathlib import Path

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Json, numbers

NAME = "attack"
EXAMPLE = "seatbelt attack runs/a --mode latent --pairs 10 --lambdas paper --solver path"


def command(
    run: Path,
    /,
    *,
    mode: str = "latent",
    divergence: str = "kl",
    layers: str | None = None,
    lambdas: str = "paper",
    solver: str = "path",
    pairs: int = 10,
    pair_seed: int = 0,
    samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Attack a trained model with pairs of its test images, and measure what the attack gained.

    Args:
        run: The run's folder.
        mode: latent or output.
        divergence: kl, reverse-kl, skl, w2, l2-means or l2-samples.
        layers: all, bottom, top, or layers as 0,2 (0 is the bottom); by default those that the decoder sees.
        lambdas: paper (51 values), or weights of the distortion as 0,1,10.
        solver: path, cold, scipy or adam.
        pairs: Number of pairs of a source and a target.
        pair_seed: Seed of the draw of the pairs.
        samples: Sets of noise that the attack averages over; 0 follows the means; 4 by default for output attacks.
        seed: Seed of the attack and of the measuring.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.experiments import AttackSpec, RunFolder, run_attack, summarise_attack

    spec = AttackSpec.of(
        mode=mode,
        divergence=divergence,
        layers=layers if layers is None or layers.isalpha() else tuple(numbers(layers, "--layers")),
        lambdas=lambdas if lambdas.isalpha() else tuple(numbers(lambdas, "--lambdas")),
        solver=solver,
        pairs=pairs,
        pair_seed=pair_seed,
        samples=samples,
        seed=seed,
    )
    folder = RunFolder.open(run)
    name = run_attack(folder, spec, device=device, progress=True)
    summary = summarise_attack(*folder.attack(name))
    head = [f"{run}: attack {name}, {summary['pairs']} pairs"]
    head += [f"{key} {number(list((summary[key] or {}).values()))}" for key in ("auddc", "success_at_0.5")]
    table = [("lambda", "Delta", "|d|", "success", "-log p(x_t|z)")]
    keys = ("lambdas", "objective", "distortion", "success", "target_nll")
    table += zip(*([number(value) for value in summary[key]] for key in keys), strict=True)
    show({"run": str(run), "attack": name, **summary}, json, [*head, *columns(table)])
