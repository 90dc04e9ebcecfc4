"""The paper's numbers, to stand beside ours.

Table 1 as it is printed in Willetts et al. 2020 (arXiv 1906.00230); curves read by eye, ±15 %, from the first author's
later plots, at 64×64 with β ∈ 1, 2, 4, 6, 8, 10. Δ there is a mean over pairs and λ, and of other images and sizes:
it stands beside ours for its course over β, not for its height.
"""

from seatbelt_vae.experiments.recipes.point import Point

BETAS = (1, 2, 4, 6, 8, 10)
LAYERS = {"beta-tcvae": 1, "seatbelt": 4}

CURVES: dict[tuple[str, str, str], dict[str, tuple[float, ...]]] = {
    ("chairs", "objective_mean", "latent"): {
        "beta-tcvae": (6e2, 3e4, 4e4, 1.2e7, 1.5e5, 9e4),
        "seatbelt": (1.2e3, 1.1e3, 4e9, 3.5e9, 7e9, 8e9),
    },
    ("faces", "objective_mean", "latent"): {
        "beta-tcvae": (2e2, 8e2, 3e3, 2e4, 2e3, 2e3),
        "seatbelt": (4e2, 4e2, 7e7, 3e9, 2e9, 4e9),
    },
    ("chairs", "objective_mean", "output"): {
        "beta-tcvae": (780, 850, 1070, 1310, 1520, 1800),
        "seatbelt": (780, 860, 1270, 2280, 2800, 4400),
    },
    ("faces", "objective_mean", "output"): {
        "beta-tcvae": (1570, 1600, 1790, 2190, 2180, 2500),
        "seatbelt": (1560, 1590, 2450, 3500, 4150, 4650),
    },
    ("chairs", "target_nll", "latent"): {
        "beta-tcvae": (400, 1340, 1050, 780, 1020, 1070),
        "seatbelt": (390, 410, 1860, 1790, 2330, 1840),
    },
    ("chairs", "elbo", ""): {
        "beta-tcvae": (-390, -505, -775, -1135, -1590, -2160),
        "seatbelt": (-360, -400, -620, -835, -1090, -1380),
    },
    ("faces", "elbo", ""): {
        "beta-tcvae": (-1430, -1540, -2420, -3750, -4800, -6000),
        "seatbelt": (-1420, -1440, -1690, -1830, -2240, -2410),
    },
}
"""By data, quantity and mode of the attack, then by model: values at `BETAS`."""

WEIGHTS: dict[tuple[str, str, str], float] = {
    ("chairs", "encoder", "beta-tcvae"): 1.050,
    ("faces", "encoder", "beta-tcvae"): 1.195,
    ("celeba", "encoder", "beta-tcvae"): 1.737,
    ("chairs", "encoder", "seatbelt"): 1.010,
    ("faces", "encoder", "seatbelt"): 1.027,
    ("celeba", "encoder", "seatbelt"): 1.402,
    ("chairs", "decoder", "beta-tcvae"): 0.806,
    ("faces", "decoder", "beta-tcvae"): 0.850,
    ("celeba", "decoder", "beta-tcvae"): 0.932,
    ("chairs", "decoder", "seatbelt"): 0.924,
    ("faces", "decoder", "seatbelt"): 0.940,
    ("celeba", "decoder", "seatbelt"): 0.886,
}
"""Table 1: the norm at β = 10 as a multiple of that at β = 1, by data, part and model."""

LATENT_GAIN = {"chairs": 1e3, "faces": 10.0}
"""Δ of the latent attack, β-TCVAE as a multiple of a VAE's."""
OUTPUT_GAIN = 1.2
"""The same of the output attack."""
DEPTH_GAIN = 1e7
"""Δ of the latent attack on Chairs, Seatbelt-VAE (β = 10, L = 5) as a multiple of (β = 1, L = 1)."""


def kind_of_data(name: str) -> str:
    """Which of the paper's data sets a name means; the name itself where none.

    Example:
        >>> kind_of_data("chairs_mesh64"), kind_of_data("faces3d"), kind_of_data("sprites")
        ('chairs', 'faces', 'sprites')
    """
    return next((kind for kind in ("chairs", "faces", "celeba") if kind in name.lower()), name)


def printed(data: str, point: Point, quantity: str, mode: str = "") -> float | None:
    """The paper's value, None where it has none.

    Example:
        >>> printed("chairs", Point("seatbelt", 4, 10), "elbo")
        -1380
    """
    curve = CURVES.get((kind_of_data(data), quantity, mode), {}).get(point.model)
    if curve is None or point.settings or point.layers != LAYERS[point.model] or point.beta not in BETAS:
        return None
    return curve[BETAS.index(int(point.beta))]
