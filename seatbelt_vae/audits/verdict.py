"""The worst case over all attacks: curves, f50 and amplification with intervals, references, bounds, one sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks.protocol import place, posteriors
from seatbelt_vae.audits.flags import Evidence, Flag
from seatbelt_vae.audits.subject import Found, Subject, envelope
from seatbelt_vae.metrics import Interval, Reference, attack_pca, fit_pca, identity, interval

GRID = torch.linspace(0, 1, 41)
"""Relative distortions at which curves are read."""

NOT_ATTACKED = "Not attacked: only the flags that need no attack were looked for."

KEYS = ("f50", "auddc", "success_at_0.3", "success_at_0.5", "amplification")


@dataclass(frozen=True, eq=False)
class Verdict:
    """How robust the model is.

    Attributes:
        measures: by key, the worst case over all attacks, with its 95 % interval over pairs.
        values: the same of each pair, (P,), NaN where it is not defined.
        success: along `GRID`, (G, 3): value and ends.
        damage: likewise, in the data's units.
        radius: ε of the amplification, in the data's units.
        references: by name and key, means over the same pairs.
        below: relative distortion below which no attack reaches success ½, certified, (P,); NaN without a constant.
        below_code: the same of a code equal to the target's.
        trusted: whether no flag is raised that speaks against the numbers.
        sentence: all of it.
    """

    measures: Mapping[str, Interval]
    values: Mapping[str, Tensor]
    success: Tensor
    damage: Tensor
    radius: float
    references: Mapping[str, Mapping[str, float]]
    below: Tensor
    below_code: Tensor
    trusted: bool
    sentence: str


def judge(evidence: Evidence, flags: Mapping[str, Flag], images: Tensor, radii: Tensor) -> Verdict:
    """Put it all together.

    Args:
        evidence: what was found.
        flags: what speaks against it.
        images: at hand, (N, C, H, W): PCA is fitted to them.
        radii: ε of damage, in the data's units, (R,).
    """
    subject = evidence.subject
    worst = evidence.worst
    defined = subject.defined
    values = {key: each.masked_fill(~defined, math.nan) for key, each in _values(evidence.everything).items()}
    radius = float(radii[len(radii) // 2])
    values["amplification"] = _amplification(evidence, radii).masked_fill(~subject.finite, math.nan)
    measures = {key: _interval(values[key], key) for key in KEYS}
    references = _references(evidence, images, radius)
    trusted = evidence.attacked and not any(flag.raised and not flag.information for flag in flags.values())
    return Verdict(
        measures=measures,
        values=values,
        success=_band(envelope(evidence.everything, GRID), defined),
        damage=_band(worst.damage_at(GRID), subject.finite),
        radius=radius,
        references=references,
        below=certified_f50(subject),
        below_code=certified_code(subject),
        trusted=trusted,
        sentence=sentence(measures, references, flags) if evidence.attacked else NOT_ATTACKED,
    )


def _values(parts: Sequence[Found]) -> dict[str, Tensor]:
    """Measures of the worst case of several attacks, (P,) each."""
    curve = envelope(parts, GRID)
    return {
        "f50": torch.stack([each.f50 for each in parts]).amin(0),
        "auddc": torch.trapezoid(1 - curve, GRID.to(curve), dim=1),
        "success_at_0.3": envelope(parts, torch.tensor([0.3]))[:, 0],
        "success_at_0.5": envelope(parts, torch.tensor([0.5]))[:, 0],
    }


def _amplification(evidence: Evidence, radii: Tensor) -> Tensor:
    """Largest damage over ε within the middle radius, (P,)."""
    worst = evidence.worst
    distance = worst.distortion * evidence.subject.apart[:, None]
    middle = radii[len(radii) // 2].to(distance)
    return metrics.success_at(distance, worst.damage, float(middle * 1.0001)) / middle


def _interval(values: Tensor, key: str) -> Interval:
    possible = metrics.AUDDC_RANGE if key == "auddc" else (0.0, math.inf)
    return interval(values, possible=possible)


def _band(curves: Tensor, pairs: Tensor) -> Tensor:
    if not bool(pairs.any()):
        return torch.full((curves.shape[1], 3), math.nan)
    return metrics.band(curves[pairs])


def _references(evidence: Evidence, images: Tensor, radius: float) -> dict[str, dict[str, float]]:
    """Blend as the model sees it, PCA of the model's error, and the identity."""
    subject = evidence.subject
    radii = torch.tensor([radius])
    known = [identity(len(subject.source), radii)]
    error = (subject.source_reconstruction - subject.source).square()[subject.finite]
    if error.numel() and float(error.mean()) > 0:
        pca = fit_pca(images, float(error.mean()))
        known.insert(0, attack_pca(pca, subject.source, subject.target, radii))
    mixed = evidence.blend.reconstruction.nan_to_num(0.0)
    known.insert(0, metrics.blend(mixed, subject.source, subject.target, radii))
    return {each.name: _means(each, subject.defined) for each in known}


def _means(reference: Reference, pairs: Tensor) -> dict[str, float]:
    means = {}
    for key in ("f50", "auddc", "amplification"):
        values = getattr(reference, key).double().flatten()[pairs]
        means[key] = float(values[values.isfinite()].mean())
    return means


def certified_f50(subject: Subject) -> Tensor:
    r"""A bound on f50 from below, (P,); NaN where the model has no certified constants.

    Success ½ moves the output by half of g = ‖rec(x) − x_t‖ − ‖rec(x_t) − x_t‖ at least, so

    .. math:: \|d\| \ge g / (2 \, \text{Lip}(rec))
    """
    constants = getattr(subject.model, "lipschitz", None)
    if constants is None:
        return torch.full_like(subject.apart, math.nan)
    clean = metrics.distance(subject.source_reconstruction, subject.target)
    best = metrics.distance(subject.target_reconstruction, subject.target)
    return (clean - best).clamp(min=0) / 2 / constants.reconstruction / subject.apart


def certified_code(subject: Subject) -> Tensor:
    r"""The relative distortion that reaching the target's code takes at least, (P,).

    .. math:: \|\mu(x_t) - \mu(x)\| / (\text{Lip}(\mu) \, \|x_t - x\|)
    """
    constants = getattr(subject.model, "lipschitz", None)
    if constants is None:
        return torch.full_like(subject.apart, math.nan)
    moved = _means_of(subject, subject.target) - _means_of(subject, subject.source)
    return moved.norm(dim=1).cpu() / constants.mean / subject.apart


@torch.no_grad()
def _means_of(subject: Subject, images: Tensor) -> Tensor:
    layers = posteriors(subject.model, place(subject.model, images))
    return torch.cat([q.loc.flatten(1) for q in layers], 1)


def sentence(
    measures: Mapping[str, Interval],
    references: Mapping[str, Mapping[str, float]],
    flags: Mapping[str, Flag],
) -> str:
    """How the model stands; never "robust" where a flag speaks against the numbers.

    Example:
        >>> f50 = {"f50": Interval(0.15, 0.12, 0.19)}
        >>> sentence(f50, {"blend": {"f50": 0.45}, "identity": {"f50": 0.5}}, {})
        'Brittle: half of a success needs 0.15 [0.12, 0.19] of the way, a third of what mixing needs (0.45).'
    """
    raised = [name for name, flag in flags.items() if flag.raised and not flag.information]
    f50 = measures["f50"]
    blend = references.get("blend", {}).get("f50", math.nan)
    if raised:
        at_most = "nothing can be said of it"
        if not math.isnan(f50.value):
            at_most = f"f50 is {f50.value:.2f} at most"
        return f"Not to be trusted: {at_most}; flags {', '.join(raised)}."
    if math.isnan(f50.value):
        return "Nothing can be said: no attack reached half of a success, or success is not defined."
    share = f50.value / blend
    way = f"half of a success needs {f50.value:.2f} [{f50.low:.2f}, {f50.high:.2f}] of the way"
    words = "Brittle"
    if math.isnan(f50.low):
        words = "Too few pairs to judge by"
        way = f"half of a success needs {f50.value:.2f} of the way"
    elif share > 0.9:
        words = "As robust as mixing allows"
    elif share > 0.7:
        words = "Fairly robust"
    return f"{words}: {way}, {_share(share)} of what mixing needs ({blend:.2f})."


def _share(share: float) -> str:
    names = {0.25: "a quarter", 0.33: "a third", 0.5: "half", 0.67: "two thirds", 0.75: "three quarters"}
    nearest = min(names, key=lambda known: abs(known - share))
    if abs(nearest - share) < 0.04:
        return names[nearest]
    return f"{100 * share:.0f} %"
