"""The figures and tables of the paper at one scale, for one set of images. recipes.toml says what they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec
from seatbelt_vae.reproduction.attacks import attacks, protocol
from seatbelt_vae.reproduction.claims import Contrast
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.paper import effect
from seatbelt_vae.reproduction.points import Point, condition_words, named, points_of
from seatbelt_vae.reproduction.scales import Scale, read_toml
from seatbelt_vae.settings import near

TABLES = read_toml("recipes.toml")
NAMES = tuple(TABLES)
"""Every recipe, the paper's own order first."""

ALL = tuple(name for name, table in TABLES.items() if table.get("in_all", True))
"""What “all” means: all but those that take as long as the rest together."""

NOTHING: dict[str, Any] = {
    "points": (),
    "attacks": (),
    "more_attacks": {},
    "evaluate": (),
    "drawings": (),
    "claims": (),
    "suits": "",
    "study": {"conditions": "", "models": (), "otherwise": ""},
}
"""What an entry may leave out."""

CHANGES_A_VAE = {"objective.free_bits", "training.steps", "data.size"}
"""Settings that change a VAE too, whose ELBO knows no total correlation; a plain VAE is compared in any case."""


@dataclass(frozen=True)
class Recipe:
    """A figure or table of the paper, at one scale for one set of images.

    Attributes:
        name: what ``seatbelt reproduce`` calls it.
        title: its heading.
        expected: what the paper found.
        runtime: what it takes.
        runs: what is trained, and the attacks on each.
        evaluate: names of the measurements of each run.
        shown: measures that are the columns of its table.
        drawings: its figures, each a kind, and a measure but for pictures.
        claims: what the paper claims.
        suits: whether it means something for the images.
    """

    name: str
    title: str
    expected: str
    runtime: str
    runs: Mapping[Point, tuple[AttackSpec, ...]]
    evaluate: tuple[str, ...]
    shown: tuple[str, ...]
    drawings: tuple[tuple[str, ...], ...]
    claims: tuple[Contrast, ...]
    suits: bool

    @property
    def attacks(self) -> tuple[AttackSpec, ...]:
        """Every attack on any of its points."""
        found: dict[AttackSpec, None] = {}
        for each in self.runs.values():
            found |= dict.fromkeys(each)
        return tuple(found)


def recipe(name: str, scale: Scale, images: Images) -> Recipe:
    """Make a recipe."""
    table = {**NOTHING, **TABLES[name]}
    studied = list(_studied(table["study"], scale))
    points = list(points_of(table["points"], scale))
    for names, _ in studied:
        points += [names["own-vae"], names["it"]]
    evaluate = [each for each in table["evaluate"] if each != "mig" or images.factors]
    return Recipe(
        name=name,
        title=table["title"],
        expected=table["expected"],
        runtime=table["runtime"],
        runs=_runs(table, points, scale, images),
        evaluate=tuple(evaluate),
        shown=table["shown"],
        drawings=tuple(tuple(drawing.split()) for drawing in table["drawings"]),
        claims=tuple(_claims(table["claims"], studied, scale, images)),
        suits=_suits(table["suits"], images),
    )


def _suits(need: str, images: Images) -> bool:
    """Whether images are what a recipe needs; for "one kind" any will do but faces, so that one set is enough."""
    return {
        "": True,
        "factors": images.factors,
        "sprites": "sprites" in images.label,
        "one kind": images.kind not in ("faces", "celeba"),
    }[need]


def _runs(
    table: Mapping[str, Any],
    points: Sequence[Point],
    scale: Scale,
    images: Images,
) -> dict[Point, tuple[AttackSpec, ...]]:
    known = attacks(scale, images)
    more = {named(scale)[name]: asked for name, asked in table["more_attacks"].items()}
    found = {}
    for point in points:
        asked = more.get(point, table["attacks"])
        if asked == "protocol":
            asked = protocol(scale, point)
        found[point] = tuple(known[name] for name in asked)
    return found


Names = dict[str, Point]


def _studied(study: Mapping[str, Any], scale: Scale) -> Iterator[tuple[Names, str]]:
    """Each model of a study, "it", under each condition in words, and the VAE of that condition, "own-vae"."""
    known = named(scale)
    for condition in scale.conditions.get(study["conditions"], ()):
        words = condition_words(condition) or study["otherwise"]
        changed = {name for name, _ in condition}
        vae = known["vae"]
        if changed & CHANGES_A_VAE:
            vae = vae.under(condition)
        for name in study["models"]:
            model = known[name]
            if model.layers == 1 and "model.posterior" in changed:
                continue  # without upper layers there is no posterior to choose
            yield {**known, "own-vae": vae, "model": model, "it": model.under(condition)}, words


def _claims(
    claims: Sequence[Mapping[str, Any]],
    studied: Sequence[tuple[Names, str]],
    scale: Scale,
    images: Images,
) -> Iterator[Contrast]:
    for names, condition in studied:
        for claim in claims:
            if "it" in claim["weights"] and names["it"] != names["own-vae"]:
                yield _contrast(claim, names, condition, scale, images)
    for claim in claims:
        if "it" not in claim["weights"]:
            yield _contrast(claim, named(scale), "", scale, images)


def _contrast(claim: Mapping[str, Any], names: Names, condition: str, scale: Scale, images: Images) -> Contrast:
    settings = dict(claim)
    words = {**names, "condition": condition}
    settings["claim"] = claim["claim"].format(**words)
    settings["weights"] = {names[name]: weight for name, weight in claim["weights"].items()}
    if "attacks" in claim:
        known = attacks(scale, images)
        settings["attacks"] = {known[name]: weight for name, weight in claim["attacks"].items()}
    if "paper" in claim:
        settings["paper"] = effect(claim["paper"], images.label)
    if "whose" in claim:
        settings["whose"] = claim["whose"].format(**words)
        settings["condition"] = condition
    return Contrast(**settings)


def names_of(asked: Sequence[str]) -> tuple[str, ...]:
    """The recipes that a command means, in their own order.

    Raises:
        InputError: none is named, or there is none of a name.

    Example:
        >>> names_of(["table1", "fig3"])
        ('fig3', 'table1')
    """
    use = f"use all, or some of {', '.join(NAMES)}"
    if not asked:
        raise InputError(f"reproduce: nothing was named, {use}")
    meant: set[str] = set()
    for name in asked:
        if name == "all":
            meant.update(ALL)
        elif name in NAMES:
            meant.add(name)
        else:
            raise InputError(f"reproduce: {name!r} is unknown{near(name, NAMES)}, {use}")
    return tuple(name for name in NAMES if name in meant)


def shortened(names: Sequence[str]) -> str:
    """What a command calls recipes: `names_of` the other way round.

    Example:
        >>> shortened(names_of(["all", "larger"])), shortened(["fig3", "fig4"])
        ('all larger', 'fig3 fig4')
    """
    if not set(ALL) <= set(names):
        return " ".join(names)
    return " ".join(["all", *(name for name in names if name not in ALL)])
