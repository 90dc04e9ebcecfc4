"""What is trained, but for data and seed: a model, its depth and β, and what is set otherwise than the scale has it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from seatbelt_vae.experiments import ExperimentSpec
from seatbelt_vae.models import variant_of
from seatbelt_vae.reproduction.scales import Condition, Scale

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


def condition_words(condition: Condition) -> str:
    """How tables call a condition.

    Example:
        >>> condition_words((("objective.estimator", "mss"), ("objective.tc_samples", 1024)))
        'mss, TC over 1024'
        >>> condition_words((("robust.method", ("adversarial", "smooth-encoder")),))
        'adversarial + smooth-encoder'
    """
    parts = []
    for name, value in condition:
        if isinstance(value, tuple):
            value = " + ".join(value)
        parts.append(WORDS[name].format(value))
    return ", ".join(parts)


@dataclass(frozen=True, order=True)
class Point:
    """A place on the grid of model × L × β.

    Attributes:
        model: its name in a spec. At β = 1 every model is trained on its ELBO: ``beta-tcvae`` is a VAE there, and
            ``beta-tcdlgm`` a DLGM.
        layers: L.
        beta: β.
        settings: of the spec that are not the scale's.
    """

    model: str
    layers: int
    beta: float
    settings: Condition = ()

    @property
    def name(self) -> str:
        """The model, as claims call it."""
        if self.model == "blend":
            return "Blend"
        return variant_of(self.model).label

    @property
    def family(self) -> str:
        """The model and its depth, as legends call it.

        Example:
            >>> Point("seatbelt", 4, 10).family
            'Seatbelt-VAE L=4'
        """
        if self.model == "blend" or not variant_of(self.model).deep:
            return self._set(self.name)
        return self._set(f"{self.name} L={self.layers}")

    @property
    def label(self) -> str:
        """How tables call it.

        Example:
            >>> Point("beta-tcvae", 1, 1).label, Point("seatbelt", 2, 4).label
            ('VAE (β=1)', 'Seatbelt-VAE L=2 β=4')
        """
        plain = {"blend": "Blend", "beta-tcvae": "VAE (β=1)", "beta-tcdlgm": f"DLGM L={self.layers} (β=1)"}
        if self.beta == 1 and self.model in plain:
            return self._set(plain[self.model])
        return self._set(f"{self.under(()).family} β={self.beta:g}")

    def _set(self, name: str) -> str:
        words = [name, condition_words(self.settings)]
        return ", ".join(word for word in words if word)

    def under(self, condition: Condition) -> "Point":
        """The same model under a condition."""
        return replace(self, settings=condition)

    def spec(self, scale: Scale, data: str, seed: int) -> ExperimentSpec:
        """The run of a seed."""
        tables: dict[str, dict[str, Any]] = {
            "data": scale.data(data).model_dump(exclude_none=True),
            "model": {"name": self.model, "layers": self.layers, "network": scale.network},
            "objective": {"beta": self.beta, "tc_samples": scale.tc_samples, "free_bits": scale.free_bits},
            "training": {"steps": scale.steps, "batch_size": scale.batch_size, "precision": scale.precision},
        }
        tables["model"]["hidden_sizes"] = scale.hidden_sizes
        tables["training"]["seed"] = seed
        for name, value in self.settings:
            table, _, key = name.partition(".")
            tables.setdefault(table, {})[key] = value
        return ExperimentSpec.of(tables, "recipe")

    def agrees(self, spec: ExperimentSpec) -> bool:
        """Whether a run's completed spec is of this point; a point with fewer settings may agree too."""
        beta = 1 if spec.objective.beta is None else spec.objective.beta
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


VAE = Point("beta-tcvae", 1, 1)
"""What claims compare with."""

BLEND = Point("blend", 1, 1)
"""No model: the way from source to target, as the VAE sees it."""


def named(scale: Scale) -> dict[str, Point]:
    """Models by the names that recipes use: "deep" and "deepest" have β = 1, the others the largest β, or that said."""
    deep, most, high = scale.deep, scale.layers[-1], scale.high
    return {
        "vae": VAE,
        "blend": BLEND,
        "tcvae": seatbelt(1, high),
        "tcvae-4": seatbelt(1, 4),
        "deep": seatbelt(deep, 1),
        "seatbelt": seatbelt(deep, high),
        "seatbelt-4": seatbelt(deep, 4),
        "deepest": seatbelt(most, 1),
        "deepest-seatbelt": seatbelt(most, high),
        "dlgm": Point("beta-tcdlgm", deep, 1),
        "tcdlgm": Point("beta-tcdlgm", deep, high),
    }


def points_of(names: Iterable[str], scale: Scale) -> tuple[Point, ...]:
    """What is trained, by name; some names mean several models: over β, or over β and L."""
    depths = {"curve": (1,), "curves": (1, scale.deep), "square": scale.layers}
    found: list[Point] = []
    for name in names:
        if name in depths:
            found += [seatbelt(layers, beta) for layers in depths[name] for beta in scale.betas]
        else:
            found.append(named(scale)[name])
    return tuple(found)
