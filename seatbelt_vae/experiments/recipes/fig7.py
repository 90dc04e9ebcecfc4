"""Figure 7: how far the attacks come (Δ) over β and L; Seatbelt-VAE against β-TCVAE and β-TCDLGM.

    seatbelt reproduce fig7 --scale laptop --data chairs.npz --out DIR

Expected: Δ of the Seatbelt-VAE with β = 10, L = 5 about 10⁷ times that with β = 1, L = 1; β-TCDLGM gains nothing.
Runtime: all trainings and attacks that the others share. Laptop: 8 models × 3 seeds for each set of data, two to six
minutes of one core each.
"""

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes import paper
from seatbelt_vae.experiments.recipes.attacks import attacks_on
from seatbelt_vae.experiments.recipes.point import Point, seatbelt, square, tcdlgm
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _points(scale: Scale) -> tuple[Point, ...]:
    return (*square(scale), *(tcdlgm(scale.deep, beta) for beta in (1, scale.high)))


def _depth(data: str, attack: AttackSpec) -> float | None:
    return paper.DEPTH_GAIN if attack.mode == "latent" and paper.kind_of_data(data) == "chairs" else None


def _claims(results: Results) -> list[Verdict]:
    scale = results.scale
    deep, most, high = scale.deep, scale.layers[-1], scale.high
    best = seatbelt(most, high)
    return [
        *more_robust(
            results, "Seatbelt-VAE at high β is harder to attack than β-TCVAE at the same β",
            {seatbelt(deep, high): 1.0, seatbelt(1, high): -1.0},
        ),
        *more_robust(
            results, "β-TCDLGM does not gain from β",
            {tcdlgm(deep, high): 1.0, tcdlgm(deep, 1): -1.0}, gains=False,
        ),
        *more_robust(
            results, "Depth and β together are harder to attack than neither",
            {best: 1.0, seatbelt(1, 1): -1.0}, sizes=_depth,
        ),
        *more_robust(results, "… than depth alone", {best: 1.0, seatbelt(most, 1): -1.0}),
        *more_robust(results, "… than β alone", {best: 1.0, seatbelt(1, high): -1.0}),
    ]  # fmt: skip


RECIPE = Recipe(
    name="fig7",
    title="Figure 7: Δ over β and L",
    expected="Δ_latent of Seatbelt-VAE (β = 10, L = 5) ≈ 10⁷ × (β = 1, L = 1); β-TCDLGM does not gain.",
    points=_points,
    attacks=attacks_on,
    quantities=("success_at_0.5", "auddc", "objective", "objective_mean"),
    drawings=(
        Drawing("map", "objective"),
        Drawing("map", "success_at_0.5"),
        Drawing("map", "auddc"),
        Drawing("lines", "objective"),
        Drawing("lines", "auddc"),
    ),
    claims=_claims,
)
