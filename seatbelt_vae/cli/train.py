"""``seatbelt train``: a model from options, from a TOML file, or from both."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from cyclopts import Parameter

from seatbelt_vae.cli.console import number, show
from seatbelt_vae.cli.options import Json, numbers

NAME = "train"
EXAMPLE = "seatbelt train --model seatbelt --layers 3 --beta 4 --data sprites --size 32 --steps 2000 --out runs/a"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a spec by the names of their options.

    Attributes:
        data: Images: sprites (the default), dsprites, chairs, faces3d, celeba, or a path to an .npz or a folder.
        data_path: Where the original of a named data set lies.
        size: Side of the images in pixels.
        grey: Turn colour into grey.
        count: Number of images, drawn at random.
        hold_out: Factor whose values training and test do not share; none for none.
        data_seed: Seed of that draw and of the split into training and test (0).
        test: Share of the images kept for measuring (0.1).
        model: vae, beta-vae, factor-vae, hfvae, beta-tcvae, dlgm, ladder-vae, biva, beta-tcdlgm or
            seatbelt (the default).
        layers: Number of stochastic layers (3; 1 where there can be no more).
        latent_sizes: Dimensions of z_1 … z_L, as 96,48,24 (the first of 96,48,24,12,6; 32 for one layer).
        network: conv (the default), mlp, or tiny for trials.
        hidden_sizes: Widths of the conditionals' networks, as 512,256.
        likelihood: bernoulli (grey images), gaussian (colour) …
        posterior: chain, chain-x, top-down, ladder or bidirectional (the model's own).
        objective: elbo, beta-vae, beta-tc, factor-vae or hfvae (the model's own).
        beta: Weight of the total correlation, or of the KL.
        alpha: Weight of HFVAE's mutual information.
        gamma: Weight of FactorVAE's total correlation, or of HFVAE's within groups.
        estimator: mws, mss or leave-one-in.
        tc_samples: Examples over which the aggregate posterior is estimated (the batch).
        free_bits: Nats of KL that cost nothing.
        free_bits_per: dimension or layer.
        warm_up: Steps over which the KL's weight rises to 1.
        anneal: Steps over which beta moves from 1 to its value.
        layer_kl: sample or paper.
        steps: Number of updates (5000).
        batch_size: Examples an update (128).
        lr: Learning rate of the first step (0.001); it decays to almost 0.
        seed: Seed of weights, batches and noise (0).
        clip_norm: Largest norm of the gradient (200).
        precision: float32 (the default) or bfloat16.
    """

    data: str | None = None
    data_path: str | None = None
    size: int | None = None
    grey: bool | None = None
    count: int | None = None
    hold_out: str | None = None
    data_seed: int | None = None
    test: float | None = None
    model: str | None = None
    layers: int | None = None
    latent_sizes: str | None = None
    network: str | None = None
    hidden_sizes: str | None = None
    likelihood: str | None = None
    posterior: str | None = None
    objective: str | None = None
    beta: float | None = None
    alpha: float | None = None
    gamma: float | None = None
    estimator: str | None = None
    tc_samples: int | None = None
    free_bits: float | None = None
    free_bits_per: str | None = None
    warm_up: int | None = None
    anneal: int | None = None
    layer_kl: str | None = None
    steps: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    seed: int | None = None
    clip_norm: float | None = None
    precision: str | None = None


def command(
    *,
    out: Path | None = None,
    spec: Path | None = None,
    resume: bool = False,
    settings: Settings | None = None,
    checkpoint_every: int = 500,
    log_every: int = 50,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Train a model. A run that is finished is not done again; one that was interrupted goes on.

    Args:
        out: The run's folder; runs/NAME by default, where NAME comes from the settings.
        spec: TOML file with the tables data, model, objective and training. Options go before it.
        resume: Take the settings from the run in --out, and go on.
        settings: Settings one by one.
        checkpoint_every: Steps between checkpoints.
        log_every: Steps between records in metrics.jsonl.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.errors import InputError
    from seatbelt_vae.experiments import run_training, spec_from_flags

    if resume and out is None:
        raise InputError("--resume: needs --out, the folder of the run to go on with")
    flags: dict[str, Any] = dict(vars(settings or Settings()))
    for name in ("latent_sizes", "hidden_sizes"):
        if flags[name] is not None:
            flags[name] = numbers(flags[name], f"--{name.replace('_', '-')}")
    asked = spec_from_flags(flags, spec=spec, run=out if resume else None)
    folder = run_training(
        asked, out, device=device, checkpoint_every=checkpoint_every, log_every=log_every, progress=True
    )
    last: dict[str, Any] = folder.history[-1] if folder.history else {}
    terms = {name: value for name, value in last.items() if name != "step"}
    document = {"run": str(folder.path), "name": folder.spec.run_name, "steps": folder.step, "last": terms}
    lines = [f"{folder.path}: trained for {folder.step} steps"]
    lines += [f"  {name} {number(terms[name])}" for name in ("elbo", "log_likelihood") if name in terms]
    show(document, json, [*lines, f"next: seatbelt evaluate {quote(str(folder.path))}"])
