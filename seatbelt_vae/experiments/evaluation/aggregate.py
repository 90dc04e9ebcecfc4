"""What the aggregate posterior of the top layer over all training images tells; never a minibatch estimate."""

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject


def _total_correlation(subject: Subject) -> Measured:
    settings = subject.settings
    aggregate = metrics.aggregate_posterior(
        subject.aggregate, settings.aggregate_samples, seed=settings.seed, progress=subject.progress
    )
    # Its KL is that of the top layer alone, and "kl" the name of all layers' on the test images.
    return Measured({key: value for key, value in aggregate.summary().items() if key not in ("kl", "kl_error")})


def _mig(subject: Subject) -> Measured:
    settings = subject.settings
    found = metrics.mig(
        subject.aggregate,
        subject.factors,
        settings.aggregate_samples,
        seed=settings.seed,
        progress=subject.progress,
    )
    return Measured({"mig": found.score, "mig_error": found.standard_error})


TOTAL_CORRELATION = Measurement(
    "total-correlation",
    _total_correlation,
    ("aggregate_samples", "seed"),
    (
        Quantity(
            "total_correlation",
            "TC of the top",
            "nats",
            "lower",
            "Total correlation of the top layer’s aggregate posterior over all training images; never that of a "
            "minibatch.",
        ),
        Quantity(
            "mutual_information",
            "I(x; z) of the top",
            "nats",
            "",
            "Mutual information of image and top layer; at most the logarithm of the number of training images.",
        ),
        Quantity(
            "dimension_wise_kl",
            "Dimension-wise KL of the top",
            "nats",
            "lower",
            "How far the top layer’s aggregate posterior is from its prior in each dimension alone, summed.",
        ),
        Quantity("entropy", "H(z) of the top", "nats", "", "Entropy of the top layer’s aggregate posterior."),
    ),
    "disentanglement",
)
MIG = Measurement(
    "mig",
    _mig,
    ("aggregate_samples", "seed"),
    (Quantity("mig", "MIG", "", "higher", "Mutual information gap of the top layer, 0 to 1 (Chen et al. 2018)."),),
    "disentanglement",
    needs_factors=True,
)
