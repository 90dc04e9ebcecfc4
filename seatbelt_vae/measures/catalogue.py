"""The catalogue: every number that is shown, each defined once. A new measure is one entry here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.measures.attacked import UNTOUCHED, Attacked, geometric_mean, unless_negative
from seatbelt_vae.measures.measure import Kind, Measure

MATCHED = (0.3, 0.5)
"""Relative distortions ‖d‖/‖x − x_t‖ within which models are compared."""


def _where_defined(values: Callable[[Attacked], Tensor]) -> Callable[[Attacked], Tensor]:
    """The same values, NaN for pairs on which success is not defined."""

    def masked(attacked: Attacked) -> Tensor:
        found = values(attacked).double()
        hidden = ~attacked.defined
        if found.dim() == 2:
            hidden = hidden[:, None]
        return found.masked_fill(hidden, math.nan)

    return masked


def _success_within(budget: float) -> Callable[[Attacked], Tensor]:
    return _where_defined(lambda a: metrics.success_at(a.relative_distortion, a.success, budget))


def _auddc(attacked: Attacked) -> Tensor:
    return metrics.auddc(attacked.relative_distortion, attacked.success)


def _f50(attacked: Attacked) -> Tensor:
    return metrics.distortion_at(attacked.relative_distortion, attacked.success, 0.5)


def _to_target(attacked: Attacked) -> Tensor:
    clean = attacked.assessment.source_reconstruction - attacked.result.target
    return attacked.best_within(0.5, attacked.to_target, torch.linalg.vector_norm(clean.flatten(1), dim=1))


def _from_clean(attacked: Attacked) -> Tensor:
    return attacked.best_within(0.5, attacked.damage, torch.zeros(len(attacked.damage)).to(attacked.damage))


def _target_nll_within(attacked: Attacked) -> Tensor:
    least = attacked.relative_distortion.argmin(1, keepdim=True)
    nll = attacked.assessment.nll
    return attacked.best_within(0.5, nll, nll.gather(1, least)[:, 0])


def _clean_discrepancy(attacked: Attacked) -> Tensor:
    least = attacked.relative_distortion.min(1, keepdim=True)
    clean = attacked.result.discrepancy.gather(1, least.indices)[:, 0]
    return unless_negative(clean).masked_fill(least.values[:, 0] >= UNTOUCHED, math.nan)


def _amplification(attacked: Attacked) -> Tensor:
    return metrics.amplification(attacked.damage, attacked.result.budget.values)


_SCALE = (
    "In a latent attack not comparable across models: a divergence between posteriors grows with 1/σ² and with the "
    "number of latent dimensions, whatever the attack achieved."
)
_WITHIN = "of the attack that has the best success within half the distance from source to target"


def _delta(key: str, title: str, definition: str, of: Callable[[Attacked], Tensor], ratio: bool = True) -> Measure:
    return Measure(
        key,
        title,
        f"{definition} {_SCALE}",
        "nats",
        "higher",
        "pair",
        comparable=False,
        ratio=ratio,
        of=of,
        targeted=True,
        of_objective=True,
    )


GAINED = (
    *(
        Measure(
            f"success_at_{budget:g}",
            f"Success within {budget:g}",
            f"Best success s of the attacks with ‖d‖ ≤ {budget:g}·‖x − xₜ‖. 0: nothing gained. 1: as good as encoding "
            "the target itself. Not attacking is within every budget, so it is never below 0.",
            better="lower",
            kind="pair",
            possible=metrics.SUCCESS_RANGE,
            of=_success_within(budget),
            targeted=True,
        )
        for budget in MATCHED
    ),
    Measure(
        "auddc",
        "AUDDC",
        "Area under the curve of 1 − success against ‖d‖/‖x − xₜ‖, both in [0, 1], begun at (0, 1) "
        "(Gondim-Ribeiro et al. 2018). The identity has 0.5.",
        better="higher",
        kind="pair",
        possible=metrics.AUDDC_RANGE,
        of=_where_defined(_auddc),
        targeted=True,
    ),
    Measure(
        "f50",
        "f50",
        "Smallest ‖d‖/‖x − xₜ‖ at which success reaches a half. The identity has 0.5.",
        better="higher",
        kind="pair",
        possible=(0.0, math.inf),
        of=_where_defined(_f50),
        targeted=True,
    ),
    Measure(
        "target_nll_at_0.5",
        "−log p(xₜ|z*) within 0.5",
        f"How unlikely the target is under the model’s output for x*, z* drawn afresh from q(z|x*), {_WITHIN}. "
        "Comparable between models with the same likelihood p(x|z) on the same data.",
        "nats",
        "higher",
        "pair",
        of=_target_nll_within,
        targeted=True,
    ),
    Measure(
        "target_nll",
        "−log p(xₜ|z*), mean over λ",
        "How unlikely the target is under the model’s output for x*, z* drawn afresh from q(z|x*), mean over λ.",
        "nats",
        "higher",
        "pair",
        of=lambda attacked: attacked.assessment.nll.mean(1),
        targeted=True,
        listed=False,
    ),
    Measure(
        "to_target_at_0.5",
        "‖rec(x*) − xₜ‖ within 0.5",
        f"L2 distance over the whole image from the target to the output for x*, {_WITHIN}.",
        "data units",
        "higher",
        "pair",
        of=_to_target,
        targeted=True,
    ),
    Measure(
        "from_clean_at_0.5",
        "‖rec(x*) − rec(x)‖ within 0.5",
        f"L2 distance over the whole image by which the attack moved the output, {_WITHIN}.",
        "data units",
        "lower",
        "pair",
        of=_from_clean,
        targeted=True,
    ),
    Measure(
        "violations",
        "Failed solves",
        "Share of the λ at which the target itself has a lower Δ than the answer. There the attack failed, so it says "
        "nothing good of the model.",
        kind="pair",
        possible=(0.0, 1.0),
        of=lambda attacked: attacked.result.violations.double().mean(1),
        targeted=True,
        listed=False,
    ),
)
"""What a targeted attack gained, one number a pair."""

REACHED = (
    replace(
        _delta("objective_clean", "Δ, not attacked", "r of x itself, before the attack.", _clean_discrepancy),
        better="",
    ),
    _delta(
        "objective",
        "Δ, geometric mean over λ",
        "What the attack minimised, Δ = r + λ‖d‖.",
        lambda attacked: geometric_mean(attacked.result.objective),
    ),
    _delta(
        "objective_mean",
        "Δ, mean over λ",
        "What the attack minimised, Δ = r + λ‖d‖. Its largest values rule it.",
        lambda attacked: attacked.result.objective.mean(1),
        ratio=False,
    ),
    _delta(
        "objective_minimum",
        "Δ, smallest over λ",
        "The smallest Δ that any λ gave.",
        lambda attacked: unless_negative(attacked.result.objective.amin(1)),
    ),
)
"""What a targeted attack minimised, one number a pair."""

CURVES = (
    Measure("delta", "Δ", "What the attack minimised: r + λ‖d‖, or r inside a ball.", "nats", "higher", "curve",
            comparable=False, of=lambda attacked: attacked.result.objective, of_objective=True),
    Measure("distortion", "‖d‖", "L2 norm of the distortion over the whole image.", "data units", "", "curve",
            of=lambda attacked: attacked.result.distortion),
    Measure("relative_distortion", "‖d‖ / ‖x − xₜ‖", "The distortion as a share of the way from source to target.",
            "", "", "curve", of=lambda attacked: attacked.relative_distortion, targeted=True),
    Measure("success", "Success s",
            "1 − (‖rec(x*) − xₜ‖ − ‖rec(xₜ) − xₜ‖) / (‖rec(x) − xₜ‖ − ‖rec(xₜ) − xₜ‖). 0: nothing gained. 1: as "
            "good as encoding the target itself.",
            "", "lower", "curve", of=_where_defined(lambda attacked: attacked.success), targeted=True),
    Measure("nll", "−log p(xₜ | z*)", "How unlikely the target is given z* drawn from q(z|x*).", "nats", "higher",
            "curve", of=lambda attacked: attacked.assessment.nll, targeted=True),
    Measure("source_nll", "−log p(x | z*)", "How unlikely the clean image is given z* drawn from q(z|x*).", "nats",
            "lower", "curve", of=lambda attacked: attacked.assessment.nll, targeted=False),
    Measure("damage", "‖rec(x*) − rec(x)‖",
            "L2 over the whole image, of the worst x* found within a radius ε of x.", "data units", "lower", "curve",
            possible=(0.0, math.inf), of=lambda attacked: attacked.damage, targeted=False),
    Measure("amplification", "‖rec(x*) − rec(x)‖ / ε", "How many times larger the output’s change is than the radius. "
            "The identity has 1.", "", "lower", "curve", possible=(0.0, math.inf), of=_amplification, targeted=False),
)  # fmt: skip
"""One number for each pair and budget."""

EVIDENCE = (
    Measure("elbo", "ELBO", "Evidence lower bound per image, with no β.", "nats", "higher"),
    Measure("log_likelihood", "log p(x|z)", "Reconstruction term of the ELBO, per image.", "nats", "higher"),
    Measure("kl", "KL", "KL(q‖p) of all layers together, per image: what the code holds of x.", "nats"),
    Measure("layer_kl", "KL by layer", "KL(q‖p) of each layer, bottom first: what it holds of x.", "nats"),
    Measure("images", "Test images", "Over which the means and errors are taken.", listed=False),
    Measure("iwae", "IWAE bound", "Importance-weighted bound per image: between ELBO and log p(x).", "nats", "higher"),
    Measure("active_units", "Active units", "Latent dimensions of each layer with Var_x E[z|x] > 0.01.", whole=True),
    Measure("collapsed_units", "Collapsed units",
            "Latent dimensions of each layer that hold under 0.01 nats of an image.", whole=True),
)  # fmt: skip
"""How well a model explains images."""

DISENTANGLEMENT = (
    Measure("total_correlation", "TC of the top", "Total correlation of the top layer’s aggregate posterior over all "
            "training images; never that of a minibatch.", "nats", "lower"),
    Measure("mutual_information", "I(x; z) of the top",
            "Mutual information of image and top layer; at most the logarithm of the number of training "
            "images.", "nats"),
    Measure("dimension_wise_kl", "Dimension-wise KL of the top", "How far the top layer’s aggregate posterior is from "
            "its prior in each dimension alone, summed.", "nats", "lower"),
    Measure("entropy", "H(z) of the top", "Entropy of the top layer’s aggregate posterior.", "nats"),
    Measure("mig", "MIG", "Mutual information gap of the top layer, 0 to 1 (Chen et al. 2018).", "", "higher"),
    Measure("dci_disentanglement", "DCI disentanglement", "0 to 1: whether each latent of the top layer matters for "
            "one factor only (random forests, Eastwood & Williams 2018); error over forests.", "", "higher"),
    Measure("dci_completeness", "DCI completeness", "0 to 1: whether each factor needs one latent only.", "", "higher"),
    Measure("dci_informativeness", "DCI informativeness",
            "Share of held-out factor values that the forests predict right from the top layer.", "", "higher"),
    Measure("sap", "SAP", "0 to 1: how much better the best latent of the top layer predicts a factor than the second "
            "best (Kumar et al. 2018); error by bootstrap over images.", "", "higher"),
    Measure("factor_vae_score", "FactorVAE score", "Guessing to 1: accuracy with which the latent that varies least "
            "names the factor held still (Kim & Mnih 2018), of the top layer.", "", "higher"),
)  # fmt: skip
"""Disentanglement of the top layer."""

DOWNSTREAM = (
    Measure("downstream_accuracy", "Factors read right", "Share of test images whose factor a logistic classifier "
            "reads right from the means of the top layer, mean over factors.", "", "higher"),
    Measure("downstream_attacked", "Factors read right, attacked", "The same where each image is attacked against the "
            "classifier, ‖d‖ up to .1 of the median distance between two images.", "", "higher"),
    Measure("downstream_guessed", "Factors guessed right", "The same of a guess that knows no image: the most frequent "
            "value of the training images."),
)  # fmt: skip
"""What a classifier on the latents reads."""

IMAGES = (
    Measure("mse", "MSE", "Mean squared error of reconstructions, as a share of the squared data range.", "", "lower"),
    Measure("psnr", "PSNR", "Peak signal-to-noise ratio of reconstructions.", "dB", "higher"),
    Measure("ms_ssim", "MS-SSIM", "Multi-scale structural similarity of reconstructions, at most 1; values compare at "
            "one image size only.", "", "higher"),
)  # fmt: skip
"""Reconstructions, not attacked."""

NOISE = (
    Measure("noise_scales", "Scale of the noise", "Standard deviation of the noise, for data in [−1, 1].",
            listed=False),
    Measure("noise_log_likelihood", "log p(x|z*) under noise", "How well the clean x is explained by z* drawn from "
            "q(z|x + noise), at each scale.", "nats", "higher", listed=False),
    Measure("noise_drop", "Cost of noise",
            "What the noise takes from log p(x|z*), clean less noisy, at each scale.", "nats", "lower"),
)  # fmt: skip
"""Robustness to noise, a number for each scale."""

WEIGHTS = (
    Measure("weight_norms", "L2 of the weights: encoder, decoder", "L2 norm of all weights; the paper reports how it "
            "changes with β, neither way is better.", ratio=True),
    Measure("training_seconds", "Training", "Time that the training steps took, on its own machine.", "s"),
)  # fmt: skip
"""Weights and training."""

MEASURES: dict[str, Measure] = {
    measure.key: measure
    for group in (GAINED, REACHED, CURVES, EVIDENCE, DISENTANGLEMENT, DOWNSTREAM, IMAGES, NOISE, WEIGHTS)
    for measure in group
}
"""Every measure by its key."""


def measures_of(result: AttackResult, kind: Kind) -> Sequence[Measure]:
    """The measures of a kind that an attack has."""
    return [measure for measure in MEASURES.values() if measure.kind == kind and measure.applies(result)]
