"""Signs in the attack: it did not do what any attack can do."""

from collections.abc import Iterator

import torch
from torch import Tensor

from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.audits.flags.flag import Evidence, Flag, above, ahead, median
from seatbelt_vae.audits.subject import Found, together
from seatbelt_vae.audits.whitebox import Attempt

SLACK = 0.01
"""Share by which Δ may be out of order."""

REACHED = 0.9
"""Success that an attack with a free distortion must reach."""

GAIN = 0.05
"""What more of everything may gain."""


def above_bound(evidence: Evidence) -> Flag:
    """The target itself is an answer, and costs λ‖x − x_t‖."""
    excess = []
    for each, delta in _asked_again(evidence):
        assert each.result is not None
        assert each.result.bound is not None
        most = each.result.bound.to(delta)
        excess.append((delta - most) / most.abs().clamp(min=1e-30))
    value = _largest(excess)
    return Flag(
        "above_bound",
        raised=above(value, SLACK),
        value=value,
        rule="Δ at an answer, asked for again, is 1 % above what the target costs (λ‖x − x_t‖ in latent attacks)",
        advice="The solver failed or the model changes its answers: attack again with more passes.",
    )


def not_monotone(evidence: Evidence) -> Flag:
    """The smallest Δ rises with λ."""
    falls = []
    for _, delta in _asked_again(evidence):
        highest = delta.cummax(1).values
        falls.append(1 - delta / highest.clamp(min=1e-30))
    value = _largest(falls)
    return Flag(
        "not_monotone",
        raised=above(value, SLACK),
        value=value,
        rule="Δ at the answers, asked for again, falls by more than 1 % where λ rises",
        advice="Some of the solves failed: attack again with more iterations and passes.",
    )


def _asked_again(evidence: Evidence) -> Iterator[tuple[Attempt, Tensor]]:
    """Δ of targeted attacks by what the model itself says of the images, (P, K); 0 where it says nothing finite."""
    subject = evidence.subject
    for each in evidence.attempts:
        if each.result is None or each.posed is None or each.result.budget.kind != "penalty":
            continue
        if each.posed.setup.objective.draws:
            continue
        P, K = each.result.status.shape
        fun = each.posed.setup.objective.pose(subject.model, each.posed.setup.source, each.posed.setup.target, Noise())
        d = (each.result.adversarial - each.result.source[:, None]).flatten(0, 1).flatten(1)
        pairs = torch.arange(P).repeat_interleave(K)
        with torch.no_grad():
            parts = [fun(d[i].to(each.posed.problem.x0), pairs[i]).cpu() for i in torch.arange(P * K).split(64)]
        r = torch.cat(parts).view(P, K)
        delta = r + each.result.budget.values.to(r) * each.result.distortion.to(r)
        yield each, delta.where(delta.isfinite().all(1, keepdim=True), 0.0)


def _largest(values: list[Tensor]) -> float | None:
    filled = [each.max() for each in values if each.numel()]
    if not filled:
        return None
    return float(torch.stack(filled).max())


def unconstrained(evidence: Evidence) -> Flag:
    """Whoever may do anything must succeed, if the gradient leads anywhere."""
    value = None
    if evidence.free:
        best = together("free", evidence.free).success.amax(1).clamp(max=1)
        reached = best[evidence.subject.defined]
        if len(reached):
            value = float(reached.double().mean())
    return Flag(
        "unconstrained",
        raised=value is not None and value < REACHED,
        value=value,
        rule=f"attacks from the source with a free distortion reach less success than {REACHED:g} on average",
        advice="The gradient leads nowhere: look for saturation, rounding or a tiny σ, and attack through a stand-in.",
    )


def no_evaluation(evidence: Evidence) -> Flag:
    """An attack that never asked the model has not tried."""
    asked = torch.zeros(len(evidence.subject.source), dtype=torch.long)
    for each in evidence.attempts:
        if each.result is not None and each.result.targeted:
            asked += each.result.evaluations.sum(1)
    value = float((asked == 0).double().mean())
    return Flag(
        "no_evaluation",
        raised=above(value, 0.0),
        value=value,
        rule="no targeted attack spent an evaluation on some pair",
        advice="The attack took the source for the answer at once: its gradient there is 0 or not finite.",
    )


def more_effort(evidence: Evidence) -> Flag:
    """An attack that is not at its end is no measure."""
    gains: list[float] = []
    for more in evidence.more:
        before = evidence.named(more.entry.name)
        if before is None or more.found is None or before.found is None:
            continue
        if before.entry.objective.targeted:
            gain = ahead(more.found, evidence.suite, evidence.subject.defined)
        else:
            gain = median(_damage_gained(more.found, evidence.own), evidence.subject.finite)
        gains += [gain] if gain is not None else []
    value = max(gains, default=None)
    return Flag(
        "more_effort",
        raised=above(value, GAIN),
        value=value,
        rule=f"twice the iterations, another start and more passes gain more than {GAIN:g} of success or of damage",
        advice='Run suite="full": the quick attacks are not at their end.',
    )


def _damage_gained(more: Found, own: Found) -> Tensor:
    """By what share damage is above that of any image of the suite that is no farther away, (P,)."""
    limit = 1.001 * more.distortion.amax(1, keepdim=True)
    before = own.damage.masked_fill(own.distortion > limit, 0.0).amax(1)
    return more.damage.amax(1) / before.clamp(min=1e-12) - 1
