"""What a damage attack did, which has no target: how far it moved the reconstruction, measured afresh."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.attacks.protocol import Attackable, frozen
from seatbelt_vae.attacks.result import AttackResult
from seatbelt_vae.experiments.assessment import Kept, reconstruct, sampled_log_likelihood
from seatbelt_vae.metrics import target_log_likelihood


@dataclass(frozen=True)
class DamageAssessment(Kept):
    r"""Measurements of P images attacked inside K balls.

    Attributes:
        source_reconstruction: rec(x), (P, C, H, W).
        adversarial_reconstruction: rec(x*), (P, K, C, H, W).
        damage: ‖rec(x*) - rec(x)‖, (P, K), in the data's units; lower is more robust.
        source_nll: -log p(x|z̃) with z̃ ~ q(z|x*), mean over fresh samples, (P, K), nats; lower is more robust.
        source_nll_error: its Monte-Carlo standard error, (P, K), nats.
    """

    source_reconstruction: Tensor
    adversarial_reconstruction: Tensor
    damage: Tensor
    source_nll: Tensor
    source_nll_error: Tensor


def assess_damage(model: Attackable, result: AttackResult, *, samples: int = 16, seed: int = 0) -> DamageAssessment:
    """Measure what a damage attack did to a model.

    Args:
        model: the attacked model.
        result: the attack; its targets are its sources.
        samples: Monte-Carlo samples per adversarial image.
        seed: of the samples.

    Returns:
        All measurements, on the CPU.

    References:
        Camuto et al. 2021, Towards a theoretical understanding of the robustness of variational autoencoders.

    Example:
        >>> from seatbelt_vae.attacks import attack
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(2, 1, 28, 28)
        >>> assess_damage(model, attack(model, x, mode="damage", radii=[1.0], max_iterations=5)).damage.shape
        torch.Size([2, 1])
    """
    pairs, count = result.adversarial.shape[:2]
    with frozen(model), torch.no_grad():
        source = reconstruct(model, result.source)
        adversarial = reconstruct(model, result.adversarial.flatten(0, 1)).view_as(result.adversarial)
        log_likelihood = sampled_log_likelihood(model, result, samples, seed).view(samples, pairs, count)
    nll = target_log_likelihood(log_likelihood)
    moved: Tensor = torch.linalg.vector_norm(adversarial - source[:, None], dim=(-3, -2, -1))
    return DamageAssessment(source, adversarial, moved, -nll.mean, nll.standard_error)
