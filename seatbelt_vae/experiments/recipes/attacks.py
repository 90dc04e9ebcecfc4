"""The attacks of the recipes: the paper's protocol, every λ by itself, and the strongest that there is here."""

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.point import Point, corners
from seatbelt_vae.experiments.recipes.scales import Scale

COLD, PATH = "cold", "path"
SOLVERS = (COLD, PATH)


def attacks(
    scale: Scale,
    modes: tuple[str, ...] = ("latent", "output"),
    solvers: tuple[str, ...] = SOLVERS,
    layers: tuple[str | None, ...] = (None,),
) -> tuple[AttackSpec, ...]:
    """Every combination; the same pairs in all of them.

    Args:
        scale: pairs, λ and iterations.
        modes: "latent" and "output".
        solvers: "cold" (the paper's) and "path" (warm starts and the envelope over λ).
        layers: at which the latent attack aims; None for those that the decoder sees.
    """
    return tuple(
        AttackSpec.of(
            mode=mode,
            layers=aim,
            solver=solver,
            lambdas=_lambdas(scale, mode),
            pairs=scale.pairs,
            max_iterations=scale.iterations if solver == COLD else scale.warm_iterations,
            samples=scale.samples if mode == "output" else None,
        )
        for mode in modes
        for solver in solvers
        for aim in layers
    )


def attacks_on(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    """Every attack that a model gets at a scale."""
    if scale.everywhere or point in corners(scale):
        return attacks(scale)
    return attacks(scale, ("latent",)) if point.model == "beta-tcdlgm" else strongest(scale, point)


def strongest(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    """The strongest latent attack, which every model gets."""
    return attacks(scale, ("latent",), (PATH,))


def _lambdas(scale: Scale, mode: str) -> str | tuple[float, ...]:
    every = scale.output_every if mode == "output" else 1
    return scale.lambdas if isinstance(scale.lambdas, str) else scale.lambdas[::every]


def words(attack: AttackSpec) -> str:
    """How tables call an attack.

    Example:
        >>> words(AttackSpec.of(mode="latent", solver="cold")), words(AttackSpec.of(layers="top"))
        ('latent, cold', 'latent, path, top layer')
    """
    aim = {"all": "all layers", "bottom": "bottom layer", "top": "top layer"}
    parts = [attack.mode, attack.solver, *([aim[str(attack.layers)]] if attack.layers else [])]
    if attack.mode == "latent" and attack.samples:
        parts.append(f"{attack.samples} samples" + (", the target’s apart" if attack.target_noise == "own" else ""))
    return ", ".join(parts)
