"""The sentences that lead the page: which model needs more distortion than the first, and how much more."""

from collections.abc import Sequence

import torch
from torch import Tensor

from seatbelt_vae.metrics import Comparison, Interval, compare, interval
from seatbelt_vae.report.formats import listed
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.tables import Cell, cell_text
from seatbelt_vae.report.verdict import LEVEL, holm


def headline(groups: Sequence[Group]) -> str:
    """What the worst distortions do to each model, compared with the first on the same images.

    Args:
        groups: the attacks on the models.

    Returns:
        A sentence for the model that is moved least, if it is moved less than the first; one for the others. Empty
        where no damage was measured, or where there is nothing to compare it with.
    """
    for group in groups:
        if not group.targeted and not group.by_layer:
            ratios = damage_ratios(group)
            if ratios:
                return _said(group, ratios, [other for other in groups if other.targeted])
    return ""


def leading_radius(group: Group) -> str:
    """The radius that the page leads with: the second smallest, where models differ most surely."""
    radii = group.table.places(group.trials[0].cell, "damage")
    return radii[min(1, len(radii) - 1)]


def damage_ratios(group: Group) -> dict[Trial, Comparison]:
    """Damage as a share of that of the first model, paired; models with fewer than two images are left out."""
    key = f"damage@{leading_radius(group)}"
    first = group.values(group.trials[0], key)
    found = {}
    for trial in group.trials[1:]:
        ratio = compare(first, group.values(trial, key), ratio=True)
        if ratio.pairs > 1:
            found[trial] = ratio
    return found


def share_of_the_way(before: Tensor, after: Tensor, reference: Tensor) -> Interval:
    r"""How far f50 has come on the way from one model to what no model sets, over the same pairs.

    .. math:: s = \frac{\overline{after} - \overline{before}}{\overline{reference} - \overline{before}}

    The interval is that of the mean of :math:`s + (a_p - s g_p) / \bar g`, with a the gain of a pair and g its gap.

    Args:
        before: f50 of the first model, (P,).
        after: f50 of another, (P,).
        reference: f50 of the reference, (P,).

    Returns:
        0: no gain. 1: as good as the reference. NaN where fewer than two pairs have all three, or there is no gap.

    Example:
        >>> half = share_of_the_way(torch.tensor([0.2, 0.3]), torch.tensor([0.3, 0.4]), torch.tensor([0.4, 0.5]))
        >>> round(half.value, 6), round(half.low, 6)
        (0.5, 0.5)
    """
    rows = torch.stack([before.double(), after.double(), reference.double()])
    before, after, reference = rows[:, rows.isfinite().all(0)]
    gain = after - before
    gap = reference - before
    if len(gap) < 2 or not gap.mean() > 0:
        return interval([float("nan")])
    share = gain.mean() / gap.mean()
    return interval(share + (gain - share * gap) / gap.mean())


def _said(group: Group, ratios: dict[Trial, Comparison], targeted: Sequence[Group]) -> str:
    first = group.trials[0].label
    adjusted = holm([ratio.p_value for ratio in ratios.values()])
    differs = {}
    for trial, p_value in zip(ratios, adjusted, strict=True):
        differs[trial] = p_value <= LEVEL
    best = min(ratios, key=lambda trial: ratios[trial].difference.value)
    worst = f"the worst distortion of norm {leading_radius(group)} moves"
    if ratios[best].difference.value >= 1 or not differs[best]:
        every = [_named(trial, ratio, differs[trial]) for trial, ratio in ratios.items()]
        return f"No model is harder to move than {first}: {worst} the others’ output {listed(every)} times as far."
    share = cell_text(Cell.of(ratios[best].difference, ratio=True))
    leading = f"{best.label} needs more distortion than {first}: {worst} its output {share} times as far"
    way = _way(best, targeted)
    if way:
        leading += f", and it has come {way}"
    others = [_named(trial, ratio, differs[trial]) for trial, ratio in ratios.items() if trial is not best]
    if not others:
        return f"{leading}."
    return f"{leading}. The same distortion moves the others’ output {listed(others)} times as far."


def _named(trial: Trial, ratio: Comparison, differs: bool) -> str:
    words = trial.label
    if not differs:
        words += "; no difference can be told"
    return f"{cell_text(Cell.of(ratio.difference, ratio=True))} ({words})"


def _way(best: Trial, targeted: Sequence[Group]) -> str:
    """How far f50 has come towards the blend, under the first attack that has one."""
    for group in targeted:
        first = group.trials[0]
        mine = [trial for trial in group.trials if trial.record is best.record]
        blends = [reference for reference in group.references if reference.name == "blend"]
        if not mine or not blends:
            continue
        way = share_of_the_way(group.values(first, "f50"), group.values(mine[0], "f50"), blends[0].f50)
        if way.value == way.value:
            return f"{cell_text(Cell.of(way))} of the way from the f50 of {first.label} to that of blending the images"
    return ""
