"""How well the model explains images that it has not seen: ELBO and its parts, the importance bound, active units."""

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject


def _elbo(subject: Subject) -> Measured:
    bound, layers = subject.bound, subject.bound.layer_kl.unbind(-1)
    errors = [metrics.Estimate.of(layer).standard_error for layer in layers]
    return Measured(
        {
            **bound.summary(),
            "layer_kl": bound.layer_kl.mean(0).tolist(),
            "layer_kl_error": errors,
            "images": len(subject.test),
        }
    )


def _iwae(subject: Subject) -> Measured:
    settings = subject.settings
    bound = metrics.iwae(
        subject.model, subject.test, settings.iwae_samples, seed=settings.seed, progress=subject.progress
    )
    return Measured({"iwae": bound.mean, "iwae_error": bound.standard_error})


def _active_units(subject: Subject) -> Measured:
    units = metrics.active_units([q.mean for q in subject.test_posteriors])
    collapse = metrics.collapse(subject.bound.dimension_kl)
    shares = zip(collapse.collapsed, collapse.dimension_kl, strict=True)
    return Measured(
        {
            "active_units": list(units.counts),
            "collapsed_units": [round(share * len(kl)) for share, kl in shares],
        }
    )


ELBO = Measurement(
    "elbo",
    _elbo,
    ("samples", "seed"),
    (
        Quantity("elbo", "ELBO", "nats", "higher", "Evidence lower bound per image, with no β."),
        Quantity("log_likelihood", "log p(x|z)", "nats", "higher", "Reconstruction term of the ELBO, per image."),
        Quantity("kl", "KL", "nats", "", "KL(q‖p) of all layers together, per image: what the code holds of x."),
        Quantity("layer_kl", "KL by layer", "nats", "", "KL(q‖p) of each layer, bottom first: what it holds of x."),
        Quantity("images", "Test images", "", "", "Over which the means and errors are taken.", False),
    ),
    "evidence",
)
IWAE = Measurement(
    "iwae",
    _iwae,
    ("iwae_samples", "seed"),
    (
        Quantity(
            "iwae", "IWAE bound", "nats", "higher", "Importance-weighted bound per image: between ELBO and log p(x)."
        ),
    ),
    "evidence",
    quick=False,
)
ACTIVE_UNITS = Measurement(
    "active-units",
    _active_units,
    ("samples", "seed"),
    (
        Quantity("active_units", "Active units", "", "", "Latent dimensions of each layer with Var_x E[z|x] > 0.01."),
        Quantity(
            "collapsed_units",
            "Collapsed units",
            "",
            "",
            "Latent dimensions of each layer that hold under 0.01 nats of an image.",
        ),
    ),
    "evidence",
)
