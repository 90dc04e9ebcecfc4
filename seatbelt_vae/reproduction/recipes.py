"""The figures and tables of the paper, one entry each. ``seatbelt reproduce NAME --scale laptop --data DATA --out DIR``.

A recipe is made for one scale and one set of images.
"""

from collections.abc import Iterable, Sequence

from seatbelt_vae.errors import InputError
from seatbelt_vae.reproduction import conditions, ladder, paper
from seatbelt_vae.reproduction.attacks import Attacks, attacks_on, by_layer, by_noise, hearts, latent
from seatbelt_vae.reproduction.claims import Contrast
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import Point, corners, curves, four, seatbelt, square, tcdlgm
from seatbelt_vae.reproduction.recipe import Drawing, Kind, Recipe
from seatbelt_vae.reproduction.scales import SCALES, Scale
from seatbelt_vae.settings import near

WITH_FIG7 = "the trainings and attacks are those of fig7"
NO_ATTACKS = "no attacks; the trainings are those of fig7"

NOISE = ("noise_drop@0.2", "noise_drop@0.5", "noise_drop@1")
CONDITIONAL = ("success_at_0.5", "auddc", "objective", "elbo", "kl", "layer_kl@top")
SMALL_NOISE = ("noise_drop@0.01", "noise_drop@0.03", "noise_drop@0.1")


def recipes(scale: Scale, images: Images) -> list[Recipe]:
    """Every recipe, the paper's own order first; those that mean nothing for the images say so."""
    return [*_figures(scale, images), *_appendix(scale, images), *_questions(scale, images)]


def _figures(scale: Scale, images: Images) -> list[Recipe]:
    deep, most, high = scale.deep, scale.layers[-1], scale.high
    vae, tcvae = seatbelt(1, 1), seatbelt(1, high)
    one, both, best = seatbelt(deep, 1), seatbelt(deep, high), seatbelt(most, high)
    return [
        Recipe(
            name="fig1",
            title="Figure 1: attacks on four models",
            expected="The Seatbelt-VAE resists where VAE, β-TCVAE and β-TCDLGM are turned into the target.",
            runtime=WITH_FIG7,
            runs=_attacked(scale, four(scale)),
            shown=("success_at_0.5", "auddc", "objective", "to_target_at_0.5"),
            drawings=(Drawing("panels"),),
            claims=(Contrast("Seatbelt-VAE at high β is harder to fool than a VAE", {both: 1, vae: -1}),),
        ),
        Recipe(
            name="fig3",
            title="Figure 3: ELBO against β",
            expected="From β = 1 to 10 on Chairs the ELBO falls by 1770 nats for β-TCVAE, by 1020 for Seatbelt-VAE.",
            runtime=NO_ATTACKS,
            runs=_each(curves(scale)),
            evaluate=("elbo",),
            shown=("elbo", "log_likelihood", "kl"),
            drawings=(Drawing("lines", "elbo"),),
            claims=(
                Contrast(
                    "The ELBO falls more slowly with β for the Seatbelt-VAE than for the β-TCVAE",
                    {both: 1, one: -1, tcvae: -1, vae: 1},
                    ("elbo",),
                ),
            ),
        ),
        Recipe(
            name="fig4",
            title="Figure 4: reconstructions",
            expected="Seatbelt-VAE keeps its reconstructions at high β; β-TCVAE blurs.",
            runtime=WITH_FIG7,
            runs=_each(curves(scale), (latent(scale),)),  # its clean reconstructions are the pictures
            evaluate=("image-quality",),
            shown=("mse", "psnr"),
            drawings=(Drawing("reconstructions"), Drawing("lines", "mse")),
            claims=(
                Contrast(
                    "At high β the Seatbelt-VAE reconstructs better than the β-TCVAE",
                    {both: 1, tcvae: -1},
                    ("mse", "psnr"),
                ),
            ),
        ),
        Recipe(
            name="fig5",
            title="Figure 5: Δ against β, β-TCVAE",
            expected="Δ_latent of β-TCVAE ≈ 10³ × a VAE's (Chairs), > 10 × (Faces); Δ_output ≈ 1.2 ×.",
            runtime=WITH_FIG7,
            runs=_attacked(scale, [seatbelt(1, beta) for beta in scale.betas]),
            shown=("success_at_0.5", "auddc", "objective", "objective_mean"),
            drawings=_lines("objective", "success_at_0.5", "auddc"),
            claims=(
                Contrast(
                    "β-TCVAE at high β is harder to attack than a VAE",
                    {tcvae: 1, vae: -1},
                    sizes=paper.effect("beta", images.label),
                ),
            ),
        ),
        Recipe(
            name="fig6",
            title="Figure 6: −log p(xₜ|z*) over β and L",
            expected="−log p(xₜ|z*) rises with β and L together.",
            runtime=WITH_FIG7,
            runs=_attacked(scale, square(scale)),
            shown=("target_nll",),
            drawings=(Drawing("map", "target_nll"),),
            claims=(
                Contrast(
                    "The target stays less likely with high β than with β = 1 in the Seatbelt-VAE",
                    {both: 1, one: -1},
                    ("target_nll",),
                ),
            ),
        ),
        Recipe(
            name="fig7",
            title="Figure 7: Δ over β and L",
            expected="Δ_latent of Seatbelt-VAE (β = 10, L = 5) ≈ 10⁷ × (β = 1, L = 1); β-TCDLGM does not gain.",
            runtime="all trainings and attacks that the others share; laptop: 8 models × 3 seeds for each set of data, "
            "two to six minutes of one core each",
            runs=_attacked(scale, (*square(scale), tcdlgm(deep, 1), tcdlgm(deep, high))),
            shown=("success_at_0.5", "auddc", "objective", "objective_mean"),
            drawings=(
                Drawing("map", "objective"),
                Drawing("map", "success_at_0.5"),
                Drawing("map", "auddc"),
                *_lines("objective", "auddc"),
            ),
            claims=(
                Contrast(
                    "Seatbelt-VAE at high β is harder to attack than β-TCVAE at the same β",
                    {both: 1, tcvae: -1},
                ),
                Contrast(
                    "β-TCDLGM does not gain from β",
                    {tcdlgm(deep, high): 1, tcdlgm(deep, 1): -1},
                    gains=False,
                ),
                Contrast(
                    "Depth and β together are harder to attack than neither",
                    {best: 1, vae: -1},
                    sizes=paper.effect("depth", images.label),
                ),
                Contrast("… than depth alone", {best: 1, seatbelt(most, 1): -1}),
                Contrast("… than β alone", {best: 1, tcvae: -1}),
            ),
        ),
        Recipe(
            name="fig8",
            title="Figure 8: noise",
            expected="Noise takes less from log p(x|z*) the larger β, least in the Seatbelt-VAE.",
            runtime=NO_ATTACKS,
            runs=_each(curves(scale)),
            evaluate=("noise",),
            shown=NOISE,
            drawings=(Drawing("noise"), Drawing("lines", "noise_drop@0.5")),
            claims=_noise_claims(scale, NOISE),
        ),
        Recipe(
            name="table1",
            title="Table 1: weights",
            expected="The encoder’s norm rises with β, the decoder’s falls; less so in the Seatbelt-VAE.",
            runtime=NO_ATTACKS,
            runs=_each(corners(scale)),
            evaluate=("weights",),
            shown=("weight_norms@encoder", "weight_norms@decoder"),
            claims=(
                _norm("encoder", "rises", tcvae, vae, images),
                _norm("encoder", "rises", both, one, images),
                _norm("decoder", "falls", tcvae, vae, images),
                _norm("decoder", "falls", both, one, images),
            ),
        ),
    ]


def _appendix(scale: Scale, images: Images) -> list[Recipe]:
    deep, high = scale.deep, scale.high
    vae, tcvae = seatbelt(1, 1), seatbelt(1, high)
    one, both = seatbelt(deep, 1), seatbelt(deep, high)
    return [
        Recipe(
            name="mig",
            title="Appendix: MIG",
            expected="MIG rises with β for β-TCVAE.",
            runtime=NO_ATTACKS,
            runs=_each(curves(scale)),
            evaluate=("mig", "total-correlation"),
            shown=("mig", "total_correlation"),
            drawings=_lines("mig"),
            claims=(Contrast("MIG rises with β: β-TCVAE", {tcvae: 1, vae: -1}, ("mig",)),),
            suits=images.factors,
        ),
        Recipe(
            name="kl-collapse",
            title="Appendix: KL against β",
            expected="The KL of β-TCVAE collapses with β; the Seatbelt-VAE’s does not.",
            runtime=NO_ATTACKS,
            runs=_each(curves(scale)),
            evaluate=("elbo", "active-units"),
            shown=("kl", "layer_kl@bottom", "layer_kl@top"),
            drawings=_lines("kl", "layer_kl@top"),
            claims=(
                Contrast("The KL of β-TCVAE falls with β", {tcvae: 1, vae: -1}, ("kl",), rises=False),
                Contrast(
                    "At high β the Seatbelt-VAE’s code holds more than the β-TCVAE’s",
                    {both: 1, tcvae: -1},
                    ("kl",),
                    rises=True,
                ),
            ),
        ),
        Recipe(
            name="per-layer",
            title="Appendix: attacks by layer",
            expected="Attacking all layers gains most against a Seatbelt-VAE.",
            runtime="two more attacks on each of the hierarchical models",
            runs=_each((one, both), by_layer(scale)),
            shown=("success_at_0.5", "auddc"),
            claims=_layer_claims(scale, (one, both)),
        ),
        Recipe(
            name="traversals",
            title="Appendix: traversals",
            expected="Pictures: single factors of the images move with single dimensions.",
            runtime=NO_ATTACKS,
            runs=_each(four(scale)),
            evaluate=("traversals", "elbo"),
            shown=("layer_kl@bottom", "layer_kl@top"),
            drawings=(Drawing("traversals"),),
        ),
        Recipe(
            name="rotated-heart",
            title="Appendix: turning a heart",
            expected="The Seatbelt-VAE needs a more visible distortion to turn the heart.",
            runtime="one more attack on each of the four models",
            runs=_each(four(scale), (hearts(scale),)),
            shown=("success_at_0.5", "auddc", "objective"),
            drawings=(Drawing("panels"),),
            claims=(
                Contrast("It is harder to turn a heart in the Seatbelt-VAE than in the β-TCVAE", {both: 1, tcvae: -1}),
            ),
            suits="sprites" in images.label,
        ),
        Recipe(
            name="l2-distances",
            title="Appendix: L2 distance to the target",
            expected="The Seatbelt-VAE’s outputs stay further from the target.",
            runtime=WITH_FIG7,
            runs=_attacked(scale, curves(scale)),
            shown=("to_target_at_0.5",),
            drawings=_lines("to_target_at_0.5"),
            claims=(
                Contrast(
                    "The attacked output stays further from the target in the Seatbelt-VAE than in the β-TCVAE",
                    {both: 1, tcvae: -1},
                    ("to_target_at_0.5",),
                ),
            ),
        ),
        Recipe(
            name="small-noise",
            title="Appendix: small noise",
            expected="As in Figure 8, by less.",
            runtime="measured together with fig8",
            runs=_each(curves(scale)),
            evaluate=("noise",),
            shown=SMALL_NOISE,
            drawings=_lines("noise_drop@0.1"),
            claims=_noise_claims(scale, SMALL_NOISE),
        ),
    ]


def _questions(scale: Scale, images: Images) -> list[Recipe]:
    one_kind = images.kind not in ("faces", "celeba")  # one kind of images is enough to see what matters
    effects = _drawings("effects", "auddc", "success_at_0.5", "objective")
    chosen, more = conditions.chosen(scale), conditions.more(scale)
    both = seatbelt(scale.deep, scale.high)
    return [
        Recipe(
            name="dependence",
            title="What the claims depend on",
            expected="not stated: estimator, free bits and the attack’s way upwards are the paper’s own, whatever they "
            "were.",
            runtime="laptop: 14 models × 3 seeds, two to three minutes of one core each",
            runs=_each(conditions.points(scale, chosen), (latent(scale),)) | {both: by_noise(scale)},
            evaluate=("elbo",),
            shown=CONDITIONAL,
            drawings=effects,
            claims=(*conditions.claims(scale, chosen), *_noise_of_attack(scale, both)),
            suits=one_kind,
        ),
        Recipe(
            name="larger",
            title="Would a larger run decide otherwise?",
            expected="not stated: the batch of the total correlation and the steps are the paper’s own, whatever they "
            "were.",
            runtime="laptop: 15 models × 3 seeds, four to twelve minutes of one core each",
            runs=_each(conditions.points(scale, more), (latent(scale),)),
            evaluate=("elbo",),
            shown=CONDITIONAL,
            drawings=effects,
            claims=conditions.claims(scale, more),
            suits=one_kind,
            in_all=False,  # as long as the rest together
        ),
        Recipe(
            name="robust",
            title="The ladder: which training makes a model hard to fool",
            expected="not of the paper: a tenth of the images’ distance of adversarial training leaves a third of the "
            "VAE’s damage at its MSE.",
            runtime="laptop: 26 models × 3 seeds, three to ten minutes of one core each",
            runs=_each(ladder.points(scale), ladder.attacks(scale, images)),
            evaluate=ladder.evaluate(images),
            shown=ladder.SHOWN,
            drawings=ladder.DRAWINGS,
            claims=ladder.claims(scale),
            in_all=False,
        ),
    ]


def _each(points: Iterable[Point], attacks: Attacks = ()) -> dict[Point, Attacks]:
    """The same attacks on every point."""
    return dict.fromkeys(points, attacks)


def _attacked(scale: Scale, points: Iterable[Point]) -> dict[Point, Attacks]:
    """On every point the attacks that its claims need."""
    return {point: attacks_on(scale, point) for point in points}


def _drawings(kind: Kind, *keys: str) -> tuple[Drawing, ...]:
    return tuple(Drawing(kind, key) for key in keys)


def _lines(*keys: str) -> tuple[Drawing, ...]:
    return _drawings("lines", *keys)


def _noise_claims(scale: Scale, keys: tuple[str, ...]) -> tuple[Contrast, ...]:
    found = []
    for layers, model in ((1, "β-TCVAE"), (scale.deep, "Seatbelt-VAE")):
        weights = {seatbelt(layers, scale.high): 1.0, seatbelt(layers, 1): -1.0}
        found.append(Contrast(f"Robustness to noise grows with β: {model}", weights, keys))
    return tuple(found)


def _norm(part: str, verb: str, high: Point, low: Point, images: Images) -> Contrast:
    sizes = {}
    if size := paper.effect(part, images.label).get(high.model):
        sizes[""] = size
    return Contrast(
        f"The {part}’s norm {verb} with β: {high.family}",
        {high: 1, low: -1},
        (f"weight_norms@{part}",),
        sizes=sizes,
        rises=verb == "rises",
    )


def _layer_claims(scale: Scale, points: Sequence[Point]) -> tuple[Contrast, ...]:
    every, *single = by_layer(scale)
    found = []
    for point in points:
        for one in single:
            claim = f"Attacking all layers gains more than the {one.layers} layer alone: {point.label}"
            found.append(Contrast(claim, {point: 1}, ("success_at_0.5",), {every: 1, one: -1}, rises=True))
    return tuple(found)


def _noise_of_attack(scale: Scale, point: Point) -> tuple[Contrast, ...]:
    means, samples, own = by_noise(scale)
    return (
        Contrast(
            "An attack that follows samples through the upper layers is stronger than one that follows the means",
            {point: 1},
            ("auddc",),
            {samples: -1, means: 1},
            rises=True,
        ),
        Contrast(
            "Noise of its own for the target makes that attack weaker",
            {point: 1},
            ("auddc",),
            {own: 1, samples: -1},
            rises=True,
        ),
    )


NAMES = tuple(recipe.name for recipe in recipes(SCALES["smoke"], Images("sprites")))
"""Every recipe."""

ALL = tuple(recipe.name for recipe in recipes(SCALES["smoke"], Images("sprites")) if recipe.in_all)
"""What “all” means: all but those that take as long as the rest together."""


def names_of(asked: Sequence[str]) -> list[str]:
    """The recipes that a command means, in their own order.

    Args:
        asked: names, "all" among them.

    Raises:
        InputError: none is named, or there is none of a name.

    Example:
        >>> names_of(["table1", "fig3"])
        ['fig3', 'table1']
    """
    if not asked:
        raise InputError(f"reproduce: nothing was named, use all, or some of {', '.join(NAMES)}")
    meant: set[str] = set()
    for name in asked:
        if name not in (*NAMES, "all"):
            hint = near(name, NAMES)
            raise InputError(f"reproduce: {name!r} is unknown{hint}, use all, or some of {', '.join(NAMES)}")
        meant |= set(ALL) if name == "all" else {name}
    return [name for name in NAMES if name in meant]


def shortened(names: Sequence[str]) -> str:
    """What a command calls recipes: `names_of` the other way round.

    Example:
        >>> shortened(names_of(["all", "larger"])), shortened(["fig3", "fig4"])
        ('all larger', 'fig3 fig4')
    """
    if not set(ALL) <= set(names):
        return " ".join(names)
    return " ".join(["all", *(name for name in names if name not in ALL)])
