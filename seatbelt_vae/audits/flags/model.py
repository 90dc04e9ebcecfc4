"""Signs in the model itself: it is random, mixes images, ignores them, or has no distribution."""

import math

from seatbelt_vae.audits.facts import SAME
from seatbelt_vae.audits.flags.flag import Evidence, Flag, above

NARROW = 1e-3
"""Median σ over the spread of the means below which a code has no distribution to speak of."""

GENERALISES = 4.0
"""Largest ratio of the median errors on test and on training images."""

NEW = 0.25
"""Least distance from what training images become, in units of that between these."""


def encoder_random(evidence: Evidence) -> Flag:
    """An attack on a random encoder is of one draw, or of the average."""
    value = evidence.facts.encoder_random
    return Flag(
        "encoder_random",
        raised=above(value, SAME),
        value=value,
        rule=f"an encoding changes by more than {SAME:g} of its spread when it is asked for again",
        advice="Switch off dropout and sampling inside encode; what follows is of the average over 4 draws.",
    )


def decoder_random(evidence: Evidence) -> Flag:
    """The same of a decoder."""
    value = evidence.facts.decoder_random
    return Flag(
        "decoder_random",
        raised=above(value, SAME),
        value=value,
        rule=f"a decoded image changes by more than {SAME:g} of its spread when it is asked for again",
        advice="Return the mean from decode, not a sample; what follows is of the average over 4 draws.",
    )


def batch_dependent(evidence: Evidence) -> Flag:
    """A gradient through the batch is not that of the image."""
    value = evidence.facts.batch
    known = None if math.isnan(value) else value
    return Flag(
        "batch_dependent",
        raised=above(known, SAME),
        value=known,
        rule=f"an answer changes by more than {SAME:g} of its spread when an image is asked about alone",
        advice="Switch off statistics over the batch (model.eval()); what follows is in fixed company.",
    )


def training_mode(evidence: Evidence) -> Flag:
    """What is audited is the model in evaluation mode; is that the one in use?"""
    value = evidence.facts.training
    return Flag(
        "training_mode",
        raised=above(value, SAME),
        value=value,
        rule=f"the model came in training mode, and says something else in it by more than {SAME:g} of the spread",
        advice="Call model.eval() where the model is used: evaluation mode is what was audited.",
    )


def input_ignored(evidence: Evidence) -> Flag:
    """Where the output does not depend on the image there is nothing to attack, and no robustness either."""
    value = 1 - float(evidence.subject.defined.double().mean())
    return Flag(
        "input_ignored",
        raised=above(value, 0.5),
        value=value,
        rule="for more than half of the pairs encoding the target brings the output no nearer to it than the source",
        advice="The code holds too little of the image (a collapsed posterior, or a decoder that ignores it).",
    )


def not_finite(evidence: Evidence) -> Flag:
    """Attacks stop at NaN, and so do averages."""
    pairs = evidence.subject.finite
    for posed in evidence.posed.values():
        pairs = pairs & posed.clean.cpu().isfinite() & posed.gradient.cpu().isfinite().all(1)
    silent = 1 - float(pairs.double().mean())
    value = max(silent, evidence.facts.silent)
    return Flag(
        "not_finite",
        raised=above(value, 0.0),
        value=value,
        rule="for some pair a code, an output, an objective or its gradient is NaN or infinite, or a scale is 0",
        advice="Look for a zero scale, a logarithm or a division; such pairs are left out.",
    )


def deterministic_code(evidence: Evidence) -> Flag:
    """No failure: such a code is attacked by distances."""
    value = evidence.facts.relative_scale
    return Flag(
        "deterministic_code",
        raised=evidence.facts.deterministic or not value >= NARROW,
        value=value,
        rule=f"the model says so, or the median σ is below {NARROW:g} of the spread of the means",
        advice="This is no VAE in what it encodes: a KL says nothing here, look at distances and outputs.",
        information=True,
    )


def memorised(evidence: Evidence) -> Flag:
    """A look-up of training images does not move until another one is nearer."""
    memory = evidence.memory
    return Flag(
        "memorised",
        raised=memory is not None and (memory.error > GENERALISES or memory.novelty < NEW),
        value=None if memory is None else memory.error,
        rule=f"the median error is more than {GENERALISES:g} times that on training images, or what images become is "
        f"nearer than {NEW:g} of the usual distance to what a training image becomes",
        advice="The model reproduces what it was trained on: audit one that generalises.",
    )
