"""Signs by comparison: what should be weaker than an attack with gradients is not."""

import torch

from seatbelt_vae.audits.controls import rounded
from seatbelt_vae.audits.flags.flag import Evidence, Flag, above, ahead, median
from seatbelt_vae.audits.subject import envelope
from seatbelt_vae.audits.suite import RADII

LEAD = 0.05
"""Success by which a rival may be ahead."""

AS_WELL = 0.9
"""Share of an attack's gain from which noise does as well."""

UNDONE = 0.1
"""Success that rounding may cost."""


def noise_as_good(evidence: Evidence) -> Flag:
    """Noise of the same norm is what an attack must beat."""
    half = torch.tensor([0.5])
    gained = envelope(evidence.suite, half)[:, 0]
    by_noise = evidence.noise.curve(half)[:, 0]
    share = torch.where(gained > 0.01, by_noise / gained.clamp(min=0.01), 1.0)
    shares = [median(share, evidence.subject.defined), _damage_share(evidence)]
    value = max((each for each in shares if each is not None), default=None)
    return Flag(
        "noise_as_good",
        raised=above(value, AS_WELL),
        value=value,
        rule=f"noise of the same norm has {AS_WELL:g} of the success of attacks within 0.5, or more than their damage",
        advice="The attack does not find what hurts the model: its gradient is masked.",
    )


def _damage_share(evidence: Evidence) -> float | None:
    """Damage by noise over that by attacks of the same norm; counts as AS_WELL at most while it is not above 1 %."""
    found = evidence.named("damage-l2")
    if found is None or found.found is None:
        return None
    own = found.found.damage
    by_noise = evidence.noise.damage[:, : len(RADII)]
    share = by_noise[:, -own.shape[1] :] / own.clamp(min=1e-12)
    value = median(share.amax(1), evidence.subject.finite)
    if value is not None and value <= 1.01:  # the identity moves as far under noise as under an attack
        return min(value, AS_WELL)
    return value


def transfer_better(evidence: Evidence) -> Flag:
    """Images found on another model should be weaker than those found on this one."""
    leads = [ahead(each, evidence.suite, evidence.subject.defined) for each in evidence.transfers]
    value = max((each for each in leads if each is not None), default=None)
    return Flag(
        "transfer_better",
        raised=above(value, LEAD),
        value=value,
        rule=f"images found on a sibling have more success than the suite's within the same norm, by {LEAD:g}",
        advice="The model hides its gradient: take the attack on the sibling for the truth.",
    )


def gradient_free_better(evidence: Evidence) -> Flag:
    """A search that knows no gradient should not improve on one that does."""
    assert evidence.searched is not None
    start = evidence.own.best_within(evidence.searched.distortion[:, 0] * 1.001)
    lead = evidence.searched.success[:, 0].clamp(max=1) - start.success[:, 0].clamp(min=0, max=1)
    value = median(lead, evidence.subject.defined)
    return Flag(
        "gradient_free_better",
        raised=above(value, LEAD),
        value=value,
        rule=f"a search along random directions gains more than {LEAD:g} of success within the same norm",
        advice="The gradient misleads: attack with differences, or through a smooth stand-in.",
    )


def blend_better(evidence: Evidence) -> Flag:
    """The straight way to the target asks nobody anything."""
    value = ahead(evidence.blend, evidence.suite, evidence.subject.defined)
    return Flag(
        "blend_better",
        raised=above(value, LEAD),
        value=value,
        rule=f"mixing source and target has more success than the suite within the same norm, by {LEAD:g}",
        advice="The attack is worse than none: its gradient is masked.",
    )


def undone_by_rounding(evidence: Evidence) -> Flag:
    """A distortion below a grey level is lost in any file."""
    limit = torch.full((len(evidence.subject.source),), 0.5)
    found = evidence.own.best_within(limit)
    kept = rounded(evidence.subject, found.images[:, 0])
    value = median((found.success - kept.success)[:, 0], evidence.subject.defined)
    return Flag(
        "undone_by_rounding",
        raised=above(value, UNDONE),
        value=value,
        rule=f"rounding the images of attacks within 0.5 to 8 bits costs more than {UNDONE:g} of their success",
        advice="The attack lives below a grey level: attack through the rounding.",
    )
