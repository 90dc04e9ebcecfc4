"""What goes wrong in training, said in words: numbers that are not finite, layers that have collapsed."""

import warnings

import torch
from torch import Tensor

from seatbelt_vae.errors import RunError
from seatbelt_vae.objectives import Terms

COLLAPSED = 0.1
"""Nats below which a layer is said to have collapsed."""


class CollapseWarning(UserWarning):
    """A layer of the hierarchy carries no information."""


def explain(step: int, terms: Terms, gradient_norm: Tensor, advice: str) -> None:
    """Stop at a step whose loss or gradient is NaN or infinite, and say where it begins.

    Args:
        step: the step, counted from 1.
        terms: the step's terms.
        gradient_norm: norm of the whole gradient, before clipping; a scalar.
        advice: what is kept and what to try, put at the end of the message.

    Raises:
        RunError: the message names the step and the first term that is not finite.
    """
    suspects = {**by_name(terms), "gradient norm": gradient_norm}
    for name, value in suspects.items():
        bad = ~torch.isfinite(value)
        if bad.any():
            raise RunError(f"step {step}: {name} is {value[bad][0].item()}{advice}")


def warn_of_collapse(terms: Terms, step: int) -> None:
    """Warn once of every layer whose KL is below 0.1 nats, and say what to change.

    Args:
        terms: the terms of a step when a third of the training is done.
        step: the step, counted from 1.
    """
    collapsed = []
    layer_kl = terms.layer_kl.detach().mean(dim=0).tolist()
    for layer, kl in enumerate(layer_kl, start=1):
        if kl < COLLAPSED:
            collapsed.append(f"{layer} ({kl:.3f} nats)")
    if collapsed:
        warnings.warn(
            f"step {step}: posterior collapse, KL below {COLLAPSED} nats in layer {', '.join(collapsed)}; "
            "what these layers encode is ignored: try free bits (free_bits = 0.125), a warm-up of the KL "
            "(warm_up = a tenth of the steps), a smaller beta or fewer layers",
            CollapseWarning,
            stacklevel=3,
        )


def by_name(terms: Terms) -> dict[str, Tensor]:
    """All terms that can be the first to fail, in the order in which they are computed.

    Example:
        >>> list(by_name(Terms(torch.zeros(1), (torch.zeros(1, 2),), torch.zeros(()))))
        ['log_likelihood', 'kl of layer 1', 'loss']
    """
    named = {"log_likelihood": terms.log_likelihood}
    for layer, kl in enumerate(terms.kl, start=1):
        named[f"kl of layer {layer}"] = kl
    named |= terms.decomposition
    named |= terms.others
    named["loss"] = terms.loss
    return named
