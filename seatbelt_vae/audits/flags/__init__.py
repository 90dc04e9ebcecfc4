"""Signs of false robustness: each a function with a rule, a figure and a sentence what to do.

References:
    Croce & Hein 2020, Reliable evaluation of adversarial robustness (AutoAttack).
    Pintor et al. 2022, Indicators of attack failure.
    Carlini et al. 2019, On evaluating adversarial robustness.
    Athalye et al. 2018, Obfuscated gradients give a false sense of security.
"""

from seatbelt_vae.audits.flags import attack, gradient, model, rivals
from seatbelt_vae.audits.flags.flag import Evidence, Flag, Rule

SIGNS: tuple[Rule, ...] = (
    model.encoder_random,
    model.decoder_random,
    model.batch_dependent,
    model.training_mode,
    model.input_ignored,
    model.not_finite,
    model.deterministic_code,
    model.memorised,
    gradient.no_gradient,
    gradient.gradient_zero,
    gradient.finite_differences,
    gradient.float64,
)
"""Signs that need no attack."""

RULES: tuple[Rule, ...] = (
    *SIGNS,
    attack.above_bound,
    attack.not_monotone,
    attack.unconstrained,
    attack.no_evaluation,
    attack.more_effort,
    rivals.noise_as_good,
    rivals.transfer_better,
    rivals.gradient_free_better,
    rivals.blend_better,
    rivals.undone_by_rounding,
)
"""All signs that are looked for."""


def look_for(evidence: Evidence) -> dict[str, Flag]:
    """Every flag by its name, raised or not; those by comparison where attacks were made."""
    rules = RULES if evidence.attacked else SIGNS
    flags = [rule(evidence) for rule in rules]
    return {flag.name: flag for flag in flags}


__all__ = ["RULES", "Evidence", "Flag", "look_for"]
