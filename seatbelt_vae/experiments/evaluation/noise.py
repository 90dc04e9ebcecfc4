"""How well the clean image is still explained after a noisy one was encoded (Fig 8)."""

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject


def _noise(subject: Subject) -> Measured:
    settings = subject.settings
    images = subject.test if len(subject.test) <= settings.noise_images else subject.test.sample(settings.noise_images)
    found = metrics.noise_robustness(
        subject.model,
        images,
        settings.scales,
        settings.samples,
        bounds=subject.test.bounds,
        seed=settings.seed,
        progress=subject.progress,
    )
    rows = found.summary()
    columns = ("log_likelihood", "log_likelihood_error", "drop", "drop_error")
    values = {f"noise_{column}": [row[column] for row in rows] for column in columns}
    return Measured(
        {"noise_scales": list(found.scales), **values},
        {"log_likelihood": found.log_likelihood.float(), "clean": found.clean.float()},
    )


NOISE = Measurement(
    "noise",
    _noise,
    ("samples", "scales", "noise_images", "seed"),
    (
        Quantity("noise_scales", "Scale of the noise", "", "", "Standard deviation of the noise, for data in [−1, 1]."),
        Quantity(
            "noise_log_likelihood",
            "log p(x|z*) under noise",
            "nats",
            "higher",
            "How well the clean x is explained by z* drawn from q(z|x + noise), at each scale.",
        ),
        Quantity(
            "noise_drop",
            "Cost of noise",
            "nats",
            "lower",
            "What the noise takes from log p(x|z*), clean less noisy, at each scale.",
        ),
    ),
    "noise",
)
