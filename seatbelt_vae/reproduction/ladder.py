"""The ladder: three models, each trained plainly and in every robust way, and the radius swept."""

from itertools import product

from seatbelt_vae.reproduction.attacks import Attacks, damage, latent, output
from seatbelt_vae.reproduction.claims import Contrast
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import Point, Setting, setting_words
from seatbelt_vae.reproduction.recipe import Drawing
from seatbelt_vae.reproduction.scales import Scale

BETA = 4
"""β of the models that have one."""

RADIUS = 0.1
"""Of robust training, as a share of the median distance between two training images."""

SHARES = (0.0125, 0.025, 0.05, 0.1)
"""Radii of the damage attack, as shares of the median distance of the pairs."""

ADVERSARIAL, SMOOTH, AVAE, DENOISING = "adversarial", "smooth-encoder", "avae", "denoising"
LIPSCHITZ = "lipschitz-vae"

SHOWN = (
    "mse",
    "elbo",
    "f50",
    "auddc",
    *(f"damage@{100 * share:g}%" for share in SHARES),
    *(f"amplification@{100 * share:g}%" for share in SHARES),
    "noise_drop@0.2",
    "mig",
    "training_seconds",
)
"""The columns of its table."""

DRAWINGS = (
    Drawing("pareto", "damage@5%"),
    Drawing("pareto", "f50"),
    Drawing("effects", "damage@2.5%"),
    Drawing("effects", "damage@5%"),
    Drawing("effects", "mse"),
)

Way = tuple[Setting, ...]
"""How a model is trained; nothing for plainly."""


def ways(scale: Scale) -> list[Way]:
    """Every way of training, plainly first; the radius of adversarial training is swept."""
    radius = ("robust.radius", RADIUS)
    found: list[Way] = [
        (),
        (("robust.method", DENOISING), radius),
        (("robust.method", AVAE),),
        (("robust.method", SMOOTH), radius),
        (("robust.method", (ADVERSARIAL, SMOOTH)), radius),
    ]
    for share in scale.robust_radii:
        found.append((("robust.method", ADVERSARIAL), ("robust.radius", share)))
    return found


def models(scale: Scale) -> tuple[Point, ...]:
    """VAE, β-TCVAE and Seatbelt-VAE, trained plainly."""
    return Point("beta-tcvae", 1, 1), Point("beta-tcvae", 1, BETA), Point("seatbelt", scale.deep, BETA)


def points(scale: Scale) -> tuple[Point, ...]:
    """Every model trained in every way."""
    found = []
    for model, way in product(models(scale), ways(scale)):
        found.append(Point(model.model, model.layers, model.beta, way))
    return tuple(found)


def attacks(scale: Scale, images: Images) -> Attacks:
    """Latent and output attacks, and the largest damage within four radii."""
    radii = tuple(images.radius(share) for share in SHARES)
    return latent(scale), output(scale), damage(scale, radii)


def evaluate(images: Images) -> tuple[str, ...]:
    """What is measured of each run."""
    if images.factors:
        return "elbo", "image-quality", "noise", "mig"
    return "elbo", "image-quality", "noise"


def claims(scale: Scale) -> tuple[Contrast, ...]:
    """Of every robust way, that it halves the VAE's damage, goes half of the way to the blend, and costs no MSE."""
    vae = models(scale)[0]
    found: list[Contrast] = []
    for model, way in product(models(scale), ways(scale)[1:]):
        point = Point(model.model, model.layers, model.beta, way)
        found += _claims(point, vae, model.label, setting_words(way))
    return tuple(found)


def _claims(point: Point, vae: Point, whose: str, way: str) -> list[Contrast]:
    against = {point: 1.0, vae: -1.0}
    return [
        Contrast(
            f"At most half the VAE’s damage: {point.label}",
            against,
            ("damage@2.5%", "damage@5%"),
            ratio=True,
            bound=0.5,
            whose=whose,
            condition=way,
        ),
        Contrast(
            f"f50 goes at least half of the way from the VAE’s to the blend’s: {point.label}",
            against,
            ("f50",),
            toward="f50_blend",
            bound=0.5,
            whose=whose,
            condition=way,
        ),
        Contrast(
            f"An MSE of at most 1.05 times the VAE’s: {point.label}",
            against,
            ("mse",),
            ratio=True,
            bound=1.05,
            whose=whose,
            condition=way,
        ),
    ]
