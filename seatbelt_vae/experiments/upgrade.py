"""Runs of earlier versions, brought to the form of this one: in place, atomically, and as often as one likes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from seatbelt_vae.attacks import Assessment, AttackResult, Grid
from seatbelt_vae.attacks.latent import choose_layers
from seatbelt_vae.data.source import digest_of
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.lock import hold
from seatbelt_vae.experiments.store import ASSESSMENT, ATTACKS, WHOLE, RunFolder, runs_in
from seatbelt_vae.measures import Attacked
from seatbelt_vae.storage import adopt, read_json, read_tensors, remove, unnamed

SOLVER_NAMES = {"path": "continuation", "ball": "cold"}
"""Solvers that were called otherwise."""

KEPT = ("pairs", "pair_seed", "pairs_digest", "decoder_sees", "model_layers")
"""Settings that are as they were."""

Settings = dict[str, Any]


def upgrade(path: str | Path, say: Callable[[str], None] = lambda line: None) -> int:
    """Bring a run, or every run of a store, to the form of this version: its attacks, and the manifest of its files.

    Files that no manifest names are noted as they are. Doing it twice is harmless, and one that was stopped goes on.

    Args:
        path: a run's folder, or a folder of them.
        say: called with a line for each attack, and for each manifest.

    Returns:
        How many attacks were moved.

    Raises:
        InputError: there is no run, or an attack is damaged.
        RunError: another process is at work on a run, or it cannot be written.
    """
    moved = 0
    for run in runs_in(path):
        if not unnamed(run) and not _old_attacks(run):
            continue
        with hold(run):
            if files := len(unnamed(run)):
                adopt(run)
                say(f"{run.name}: its manifest names {files} more files")
            for name in _old_attacks(run):
                new = _move(RunFolder.open(run), name)
                say(f"{run.name}: {name} is now {new}")
                moved += 1
    return moved


def _old_attacks(run: Path) -> list[str]:
    """Names of the attacks that have the old form; those that are not whole are left alone."""
    found = []
    for path in sorted((run / ATTACKS).glob(f"*{ASSESSMENT}")):
        name = path.name.removesuffix(ASSESSMENT)
        settings = path.with_name(f"{name}.json")
        if settings.exists():
            content = read_json(settings)
            if isinstance(content, dict) and "mode" in content:
                found.append(name)
    return found


def _move(folder: RunFolder, name: str) -> str:
    """Write an attack in the new form, then take the old one away, that by which it counts as whole first."""
    attacks = folder.attacks_path
    old = read_json(attacks / f"{name}.json")
    tensors = read_tensors(attacks / f"{name}.safetensors")
    gained = read_tensors(attacks / f"{name}{ASSESSMENT}")
    try:
        spec, result = _upgraded(old, tensors)
        assessment = _assessment(gained)
    except KeyError as error:
        raise InputError(f"{attacks / name}: is damaged, it has no {error}; delete it, and attack again") from error
    folder.save_attack(spec.name, Attacked(result, assessment), origin={})
    for ending in reversed(WHOLE):
        remove(attacks / f"{name}{ending}")
    return str(spec.name)


def _upgraded(old: Settings, tensors: Mapping[str, Tensor]) -> tuple[AttackSpec, AttackResult]:
    """The attack as a spec, which names it, and as a result, whose settings have every default written out."""
    grid = tensors["lambdas"].tolist()
    kind = "test"
    pair_seed = old.get("pair_seed", 0)
    if "pairs_of" in old:
        kind = "rotated-hearts"
    spec = AttackSpec.of(
        objective=old["mode"],
        **_objective(old),
        **_budget(old, grid),
        **_solver(old),
        pairs=old["pairs"],
        pair_seed=pair_seed,
        pair_kind=kind,
        seed=old["seed"],
    )
    objective, budget, solver = spec.triple()
    bounds = tuple(old["bounds"])
    settings = {
        "objective": objective.resolved(old["model_layers"], old["decoder_sees"]).settings(),
        "budget": budget.settings(),
        "solver": solver.settings(),
        "seed": old["seed"],
        "bounds": old["bounds"],
        "pair_kind": kind,
        "pair_seed": pair_seed,
        "pairs_digest": digest_of("pairs", tensors["source"], tensors["target"], repr(bounds)),
        **{key: old[key] for key in KEPT if key in old},
    }
    fields = {key: value for key, value in tensors.items() if key != "lambdas"}
    return spec, AttackResult(**fields, budget=Grid(tensors["lambdas"], budget.name), settings=settings)


def _objective(old: Settings) -> Settings:
    """Settings of the objective."""
    found: Settings = {"divergence": old["divergence"]}
    if old["mode"] == "damage":
        return found
    found["samples"] = old["samples"]
    if old["mode"] == "latent":
        found["target_noise"] = old.get("target_noise")
        found["layers"] = _layers(tuple(old["layers"]), old)
    return found


def _layers(layers: tuple[int, ...], old: Settings) -> str | tuple[int, ...] | None:
    """Layers as one would ask for them: not at all where they are those that the decoder sees, by name if they can."""
    for name in (None, "all", "bottom", "top"):
        if layers == choose_layers(name, old["model_layers"], old["decoder_sees"]):
            return name
    return layers


def _budget(old: Settings, grid: list[float]) -> Settings:
    if old["ball"] is not None:
        return {"radii": tuple(grid), "norm": old["ball"], "restarts": old["restarts"]}
    return {"lambdas": tuple(grid), "squared": old["penalty"] == "squared"}


def _solver(old: Settings) -> Settings:
    """Settings of the solver; None is what it does by itself."""
    name = SOLVER_NAMES.get(old["solver"], old["solver"])
    return {"solver": name, "max_iterations": old["max_iterations"], "passes": old.get("waves")}


def _assessment(gained: Mapping[str, Tensor]) -> Assessment:
    """Reconstructions and likelihoods; what was derived from them is derived again when it is shown."""
    source = gained["source_reconstruction"]
    if "damage" in gained:
        nll, error = gained["source_nll"], gained["source_nll_error"]
        target = source
    else:
        nll, error = gained["target_nll"], gained["target_nll_error"]
        target = gained["target_reconstruction"]
    return Assessment(source, target, gained["adversarial_reconstruction"], nll, error)
