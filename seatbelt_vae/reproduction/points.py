"""What is trained, but for data and seed: a model, its depth and β, and what is set otherwise than the scale has it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from seatbelt_vae.experiments.family import FAMILY
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.reproduction.scales import Scale

Setting = tuple[str, str | int | float]
"""A setting of a spec by table and name, and its value."""

WORDS = {
    "objective.estimator": "{}",
    "objective.tc_samples": "TC over {}",
    "objective.free_bits": "free bits {:g}",
    "training.steps": "{} steps",
    "model.posterior": "{}",
    "data.size": "{0}×{0} pixels",
    "robust.method": "{}",
    "robust.radius": "radius {:g}",
}
"""How tables call a setting."""


def setting_words(settings: Iterable[Setting]) -> str:
    """How tables call settings.

    Example:
        >>> setting_words([("objective.estimator", "mss"), ("objective.tc_samples", 1024)])
        'mss, TC over 1024'
    """
    return ", ".join(WORDS[name].format(value) for name, value in settings)


@dataclass(frozen=True, order=True)
class Point:
    """A place on the grid of model × L × β.

    Attributes:
        model: its name in a spec. At β = 1 every model is trained on its ELBO: ``beta-tcvae`` is a VAE there, and
            ``beta-tcdlgm`` a DLGM.
        layers: L.
        beta: β.
        settings: of the spec that are not the scale's, such as ``("objective.estimator", "mss")``.
    """

    model: str
    layers: int
    beta: float
    settings: tuple[Setting, ...] = ()

    @property
    def family(self) -> str:
        """The model and its depth, as legends call it.

        Example:
            >>> Point("seatbelt", 4, 10).family
            'Seatbelt-VAE L=4'
        """
        known = FAMILY[self.model]
        name = known.label
        if known.deep:
            name += f" L={self.layers}"
        return self._set(name)

    @property
    def label(self) -> str:
        """How tables call it.

        Example:
            >>> Point("beta-tcvae", 1, 1).label, Point("seatbelt", 2, 4).label
            ('VAE (β=1)', 'Seatbelt-VAE L=2 β=4')
        """
        plain = {"beta-tcvae": "VAE (β=1)", "beta-tcdlgm": f"DLGM L={self.layers} (β=1)"}
        if self.beta == 1 and self.model in plain:
            return self._set(plain[self.model])
        return self._set(f"{replace(self, settings=()).family} β={self.beta:g}")

    def _set(self, name: str) -> str:
        if not self.settings:
            return name
        return f"{name}, {setting_words(self.settings)}"

    def spec(self, scale: Scale, data: str, seed: int) -> ExperimentSpec:
        """The run of a seed."""
        model: dict[str, Any] = {"name": self.model, "layers": self.layers, "network": scale.network}
        if scale.hidden_sizes is not None:
            model["hidden_sizes"] = scale.hidden_sizes
        objective = {"beta": self.beta, "tc_samples": scale.tc_samples, "free_bits": scale.free_bits}
        training = {
            "steps": scale.steps,
            "batch_size": scale.batch_size,
            "seed": seed,
            "precision": scale.precision,
        }
        tables: dict[str, dict[str, Any]] = {
            "data": scale.data(data).model_dump(exclude_none=True),
            "model": model,
            "objective": objective,
            "training": training,
        }
        for name, value in self.settings:
            table, _, key = name.partition(".")
            tables.setdefault(table, {})[key] = value
        return ExperimentSpec.of(tables, "recipe")

    def agrees(self, spec: ExperimentSpec) -> bool:
        """Whether a run's completed spec is of this point; a point with fewer settings may agree too."""
        beta = spec.objective.beta
        if beta is None:
            beta = 1
        if (self.model, self.layers, self.beta) != (spec.model.name, spec.model.layers or 1, beta):
            return False
        tables = spec.model_dump()
        for name, value in self.settings:
            table, _, key = name.partition(".")
            if (tables[table] or {}).get(key) != value:
                return False
        return True


def of_spec(spec: ExperimentSpec, points: Iterable[Point]) -> Point:
    """Which of some points a run's completed spec is of: the one that says most of it."""
    agreeing = [point for point in points if point.agrees(spec)]
    return max(agreeing, key=lambda point: len(point.settings))


def seatbelt(layers: int, beta: float) -> Point:
    """A Seatbelt-VAE; of one layer it is the β-TCVAE, and trained as that.

    Example:
        >>> seatbelt(1, 4).model
        'beta-tcvae'
    """
    if layers == 1:
        return Point("beta-tcvae", 1, beta)
    return Point("seatbelt", layers, beta)


def tcdlgm(layers: int, beta: float) -> Point:
    """A β-TCDLGM."""
    return Point("beta-tcdlgm", layers, beta)


def grid(layers: Iterable[int], betas: Iterable[float]) -> tuple[Point, ...]:
    """Every L with every β.

    Example:
        >>> [point.label for point in grid((1, 2), (1, 4))]
        ['VAE (β=1)', 'β-TCVAE β=4', 'Seatbelt-VAE L=2 β=1', 'Seatbelt-VAE L=2 β=4']
    """
    betas = tuple(betas)
    return tuple(seatbelt(each, beta) for each in layers for beta in betas)


def curves(scale: Scale) -> tuple[Point, ...]:
    """β-TCVAE and the deep Seatbelt-VAE over all β."""
    return grid((1, scale.deep), scale.betas)


def square(scale: Scale) -> tuple[Point, ...]:
    """Every β with every L."""
    return grid(scale.layers, scale.betas)


def corners(scale: Scale) -> tuple[Point, ...]:
    """What most claims compare: one layer and several, each with the smallest and the largest β."""
    return grid((1, scale.deep), (scale.betas[0], scale.high))


def four(scale: Scale) -> tuple[Point, ...]:
    """The four models that the paper sets side by side: VAE, and at the largest β β-TCVAE, β-TCDLGM, Seatbelt-VAE."""
    deep, high = scale.deep, scale.high
    return seatbelt(1, 1), seatbelt(1, high), tcdlgm(deep, high), seatbelt(deep, high)
