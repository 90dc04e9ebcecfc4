"""The attacks of the recipes: the paper's protocol with every λ by itself, and the strongest that there is here."""

from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.reproduction.points import Point, corners
from seatbelt_vae.reproduction.scales import Scale

Attacks = tuple[AttackSpec, ...]

SAMPLES = 4
"""Sets of noise that an attack follows through the upper layers in the place of the means."""

HEARTS = 8
"""Hearts that are turned, at most."""


def latent(scale: Scale, solver: str = "continuation", layers: str | None = None) -> AttackSpec:
    """A latent attack.

    Args:
        scale: pairs, λ and iterations.
        solver: "cold" (the paper's) or "continuation" (warm starts, and the envelope over λ).
        layers: at which it aims; None for those that the decoder sees.
    """
    return AttackSpec.of(
        objective="latent",
        layers=layers,
        solver=solver,
        lambdas=scale.lambdas,
        pairs=scale.pairs,
        max_iterations=_iterations(scale, solver),
    )


def output(scale: Scale, solver: str = "continuation") -> AttackSpec:
    """An output attack, at fewer λ; see `latent`."""
    lambdas = scale.lambdas
    if not isinstance(lambdas, str):
        lambdas = lambdas[:: scale.output_every]
    return AttackSpec.of(
        objective="output",
        samples=scale.samples,
        solver=solver,
        lambdas=lambdas,
        pairs=scale.pairs,
        max_iterations=_iterations(scale, solver),
    )


def damage(scale: Scale, radii: tuple[float, ...]) -> AttackSpec:
    """An attack without a target, within balls."""
    return AttackSpec.of(objective="damage", radii=radii, pairs=scale.pairs, max_iterations=scale.iterations)


def _iterations(scale: Scale, solver: str) -> int | None:
    if solver == "cold":
        return scale.iterations
    return scale.warm_iterations


def latent_attacks(scale: Scale) -> Attacks:
    """The latent attack by both solvers."""
    return latent(scale, "cold"), latent(scale)


def every_attack(scale: Scale) -> Attacks:
    """Latent and output attack by both solvers."""
    return *latent_attacks(scale), output(scale, "cold"), output(scale)


def attacks_on(scale: Scale, point: Point) -> Attacks:
    """Every attack that a model gets at a scale."""
    if scale.everywhere or point in corners(scale):
        return every_attack(scale)
    if point.model == "beta-tcdlgm":
        return latent_attacks(scale)
    return (latent(scale),)


def by_layer(scale: Scale) -> Attacks:
    """Latent attacks on all layers that the decoder sees, and on one alone."""
    return latent(scale), latent(scale, layers="bottom"), latent(scale, layers="top")


def by_noise(scale: Scale) -> Attacks:
    """Latent attacks that follow means, samples, and samples of the target's own, through the upper layers."""
    means = latent(scale)
    samples = means.model_copy(update={"samples": SAMPLES})
    own = samples.model_copy(update={"target_noise": "own"})
    return means, samples, own


def hearts(scale: Scale) -> AttackSpec:
    """A latent attack whose sources are hearts, its targets the same hearts turned by π."""
    attack = latent(scale)
    return attack.model_copy(update={"pair_kind": "rotated-hearts", "pairs": min(scale.pairs, HEARTS)})


def words(attack: AttackSpec | None) -> str:
    """How tables call an attack.

    Example:
        >>> words(AttackSpec.of(solver="cold")), words(AttackSpec.of(layers="top"))
        ('latent, cold', 'latent, continuation, top layer')
    """
    if attack is None:
        return ""
    if attack.objective == "damage":
        return "damage"
    parts = [attack.objective, attack.solver or "continuation"]
    if attack.layers:
        parts.append({"all": "all layers", "bottom": "bottom layer", "top": "top layer"}[str(attack.layers)])
    if attack.objective == "latent" and attack.samples:
        parts.append(f"{attack.samples} samples")
    if attack.target_noise == "own":
        parts.append("the target’s apart")
    return ", ".join(parts)
