"""``seatbelt attack``: turn source images into target images behind the model's back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Json, numbers

NAME = "attack"
EXAMPLE = "seatbelt attack runs/a --mode latent --pairs 10 --lambdas paper --solver path"


def command(
    run: Path,
    /,
    *,
    preset: str | None = None,
    mode: str | None = None,
    divergence: str | None = None,
    layers: str | None = None,
    lambdas: str | None = None,
    solver: str | None = None,
    penalty: str | None = None,
    radii: str | None = None,
    ball: str | None = None,
    restarts: int | None = None,
    max_iterations: int | None = None,
    waves: int | None = None,
    pairs: int = 10,
    pair_seed: int = 0,
    samples: int | None = None,
    target_noise: str | None = None,
    seed: int = 0,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Attack a trained model with pairs of its test images, and measure what the attack gained.

    Args:
        run: The run's folder.
        preset: A published attack: paper, tabacof, gondim-ribeiro, kos, kuzina or camuto. Other options go before it.
        mode: latent (the default), output, or damage, which has no target and needs radii.
        divergence: latent: kl (the default), reverse-kl, skl, w2, l2-means or l2-samples; output: elbo or l2; damage:
            reconstruction (the default) or one of the latent ones.
        layers: all, bottom, top, or layers as 0,2 (0 is the bottom); by default those that the decoder sees.
        lambdas: paper (51 values, the default), or weights of the distortion as 0,1,10.
        solver: path (the default), cold, scipy or adam.
        penalty: norm (the default) or squared.
        radii: Budgets of the distortion as 0.5,1,2, in the place of weights.
        ball: Norm of the budgets: l2 (the default) or linf.
        restarts: Starting points for each budget (1).
        max_iterations: Most iterations of one solve; the solver's own by default (1000 for path).
        waves: Walks over the weights, down and up in turn (2); 3 find more at small ones, in 1.5 times the time.
        pairs: Number of pairs of a source and a target.
        pair_seed: Seed of the draw of the pairs.
        samples: Sets of noise that the attack averages over; 0 follows the means; 4 by default for output attacks.
        target_noise: same (the default) or own: whether the target's samples share the source's noise.
        seed: Seed of the attack and of the measuring.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.experiments import AttackSpec, RunFolder, run_attack, summarise_attack

    spec = AttackSpec.of(
        preset,
        mode=mode,
        divergence=divergence,
        layers=_words_or_numbers(layers, "--layers"),
        lambdas=_words_or_numbers(lambdas, "--lambdas"),
        solver=solver,
        penalty=penalty,
        radii=_words_or_numbers(radii, "--radii"),
        ball=ball,
        restarts=restarts,
        max_iterations=max_iterations,
        waves=waves,
        pairs=pairs,
        pair_seed=pair_seed,
        samples=samples,
        target_noise=target_noise,
        seed=seed,
    )
    folder = RunFolder.open(run)
    name = run_attack(folder, spec, device=device, progress=True)
    summary = summarise_attack(*folder.attack(name))
    head = [f"{run}: attack {name}, {summary['pairs']} {'images' if spec.mode == 'damage' else 'pairs'}"]
    lines = _damage(summary) if spec.mode == "damage" else _gain(summary, "radius" if spec.radii else "lambda")
    show({"run": str(run), "attack": name, **summary}, json, [*head, *lines])


def _gain(summary: Mapping[str, Any], weight: str) -> list[str]:
    head = [f"{key} {number(list((summary[key] or {}).values()))}" for key in ("auddc", "success_at_0.5")]
    table = [(weight, "Delta", "|d|", "success", "-log p(x_t|z)")]
    keys = ("lambdas", "objective", "distortion", "success", "target_nll")
    table += zip(*([number(value) for value in summary[key]] for key in keys), strict=True)
    return [*head, *columns(table)]


def _damage(summary: Mapping[str, Any]) -> list[str]:
    table = [("radius", "|d|", "damage |rec(x*) - rec(x)|", "95 % interval", "-log p(x|z)")]
    for radius, moved, damage, nll in zip(
        *(summary[key] for key in ("lambdas", "distortion", "damage", "source_nll")), strict=True
    ):
        ends = f"[{number(damage['low'])}, {number(damage['high'])}]"
        table.append((number(radius), number(moved), number(damage["value"]), ends, number(nll)))
    return columns(table)


def _words_or_numbers(text: str | None, option: str) -> str | tuple[float, ...] | None:
    return text if text is None or text.isalpha() else tuple(numbers(text, option))
