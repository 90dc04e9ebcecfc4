"""The attacks of the recipes: the paper's protocol with every λ by itself, and the strongest that there is here."""

from typing import Any

from seatbelt_vae.experiments import AttackSpec
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import Point, points_of
from seatbelt_vae.reproduction.scales import Scale

SAMPLES = 4
"""Sets of noise that an attack follows through the upper layers in the place of the means."""

HEARTS = 8
"""Hearts that are turned, at most."""

SHARES = (0.0125, 0.025, 0.05, 0.1)
"""Radii of the damage attack, as shares of the median distance of the pairs."""


def attacks(scale: Scale, images: Images) -> dict[str, AttackSpec]:
    """Attacks by the names that recipes use: by continuation over λ, or with every λ by itself ("cold")."""
    thinned = scale.lambdas
    if not isinstance(thinned, str):
        thinned = thinned[:: scale.output_every]

    def latent(**settings: Any) -> AttackSpec:
        asked = {"pairs": scale.pairs, "lambdas": scale.lambdas, "max_iterations": scale.warm_iterations, **settings}
        return AttackSpec.of(objective="latent", **asked)

    def output(**settings: Any) -> AttackSpec:
        asked = {"pairs": scale.pairs, "lambdas": thinned, "samples": scale.samples, **settings}
        return AttackSpec.of(objective="output", **asked)

    cold = {"solver": "cold", "max_iterations": scale.iterations}
    return {
        "latent": latent(),
        "latent-cold": latent(**cold),
        "latent-bottom": latent(layers="bottom"),
        "latent-top": latent(layers="top"),
        "latent-samples": latent(samples=SAMPLES),
        "latent-own": latent(samples=SAMPLES, target_noise="own"),
        "output": output(max_iterations=scale.warm_iterations),
        "output-cold": output(**cold),
        "hearts": latent(pair_kind="rotated-hearts", pairs=min(scale.pairs, HEARTS)),
        "damage": AttackSpec.of(
            objective="damage",
            radii=tuple(images.radius(share) for share in SHARES),
            pairs=scale.pairs,
            max_iterations=scale.iterations,
        ),
    }


def protocol(scale: Scale, point: Point) -> tuple[str, ...]:
    """The names of every attack that a model of the paper's figures gets at a scale."""
    if scale.everywhere or point in points_of(("vae", "tcvae", "deep", "seatbelt"), scale):
        return "latent-cold", "latent", "output-cold", "output"
    if point.model == "beta-tcdlgm":
        return "latent-cold", "latent"
    return ("latent",)


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
        parts.append(f"{attack.layers} layer")
    if attack.objective == "latent" and attack.samples:
        parts.append(f"{attack.samples} samples")
    if attack.target_noise == "own":
        parts.append("the target’s apart")
    return ", ".join(parts)
