"""Figure 5: how far the attacks come (Δ) against β, for β-TCVAE.

    seatbelt reproduce fig5 --scale laptop --data chairs.npz --out DIR

Expected: Δ of the latent attack about 10³ times a VAE's on Chairs, over 10 times on Faces; of the output attack about
1.2 times. Success and AUDDC, which the scale of the latent space cannot inflate, should say the same.
Runtime: the trainings and attacks are those of fig7.
"""

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes import paper
from seatbelt_vae.experiments.recipes.attacks import attacks_on
from seatbelt_vae.experiments.recipes.point import Point, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _points(scale: Scale) -> tuple[Point, ...]:
    return tuple(seatbelt(1, beta) for beta in scale.betas)


def _size(data: str, attack: AttackSpec) -> float | None:
    if attack.mode == "output":
        return paper.OUTPUT_GAIN
    return paper.LATENT_GAIN.get(paper.kind_of_data(data))


def _claims(results: Results) -> list[Verdict]:
    weights = {seatbelt(1, results.scale.high): 1.0, seatbelt(1, 1): -1.0}
    claim = "β-TCVAE at high β is harder to attack than a VAE"
    return more_robust(results, claim, weights, sizes=_size)


RECIPE = Recipe(
    name="fig5",
    title="Figure 5: Δ against β, β-TCVAE",
    expected="Δ_latent of β-TCVAE ≈ 10³ × a VAE's (Chairs), > 10 × (Faces); Δ_output ≈ 1.2 ×.",
    points=_points,
    attacks=attacks_on,
    quantities=("success_at_0.5", "auddc", "objective", "objective_mean"),
    drawings=(Drawing("lines", "objective"), Drawing("lines", "success_at_0.5"), Drawing("lines", "auddc")),
    claims=_claims,
)
