"""What is trained, but for its data and seed: a model, its depth and β."""

from dataclasses import dataclass
from typing import Any

from seatbelt_vae.experiments.family import FAMILY
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.spec import ExperimentSpec


@dataclass(frozen=True, order=True)
class Point:
    """A place on the grid of model × L × β.

    Attributes:
        model: its name in a spec. At β = 1 every one is trained on its ELBO: ``beta-tcvae`` is a VAE there, and
            ``beta-tcdlgm`` a DLGM.
        layers: L.
        beta: β.
    """

    model: str
    layers: int
    beta: float

    @property
    def family(self) -> str:
        """The model and its depth, as legends call it.

        Example:
            >>> Point("seatbelt", 4, 10).family
            'Seatbelt-VAE L=4'
        """
        known = FAMILY[self.model]
        return f"{known.label} L={self.layers}" if known.deep else known.label

    @property
    def label(self) -> str:
        """How tables call it.

        Example:
            >>> Point("beta-tcvae", 1, 1).label, Point("seatbelt", 2, 4).label
            ('VAE (β=1)', 'Seatbelt-VAE L=2 β=4')
        """
        plain = {"beta-tcvae": "VAE (β=1)", "beta-tcdlgm": f"DLGM L={self.layers} (β=1)"}
        if self.beta == 1 and self.model in plain:
            return plain[self.model]
        return f"{self.family} β={self.beta:g}"

    def spec(self, scale: Scale, data: str, seed: int) -> ExperimentSpec:
        """The run of a seed."""
        model: dict[str, Any] = {"name": self.model, "layers": self.layers, "network": scale.network}
        if scale.hidden_sizes is not None:
            model["hidden_sizes"] = scale.hidden_sizes
        return ExperimentSpec.of(
            {
                "data": scale.data(data).model_dump(exclude_none=True),
                "model": model,
                "objective": {"beta": self.beta, "tc_samples": scale.tc_samples, "free_bits": scale.free_bits},
                "training": {
                    "steps": scale.steps,
                    "batch_size": scale.batch_size,
                    "seed": seed,
                    "precision": scale.precision,
                },
            },
            "recipe",
        )


def of_spec(spec: ExperimentSpec) -> Point:
    """The point of a run's completed spec."""
    return Point(spec.model.name, spec.model.layers or 1, spec.objective.beta if spec.objective.beta is not None else 1)


def seatbelt(layers: int, beta: float) -> Point:
    """A Seatbelt-VAE; of one layer it is the β-TCVAE, and trained as that.

    Example:
        >>> seatbelt(1, 4).model
        'beta-tcvae'
    """
    return Point("seatbelt" if layers > 1 else "beta-tcvae", layers, beta)


def tcdlgm(layers: int, beta: float) -> Point:
    """A β-TCDLGM."""
    return Point("beta-tcdlgm", layers, beta)


def curves(scale: Scale) -> tuple[Point, ...]:
    """β-TCVAE and the deep Seatbelt-VAE over all β."""
    return tuple(seatbelt(layers, beta) for layers in (1, scale.deep) for beta in scale.betas)


def square(scale: Scale) -> tuple[Point, ...]:
    """Every β with every L."""
    return tuple(seatbelt(layers, beta) for layers in scale.layers for beta in scale.betas)


def four(scale: Scale) -> tuple[Point, ...]:
    """The four models that the paper sets side by side: VAE, and at the largest β β-TCVAE, β-TCDLGM, Seatbelt-VAE."""
    return (
        seatbelt(1, 1),
        seatbelt(1, scale.high),
        tcdlgm(scale.deep, scale.high),
        seatbelt(scale.deep, scale.high),
    )
