"""An attack on a run: described, named, made once, measured, and kept in the run's folder."""

import dataclasses
import hashlib
import json
import math
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks import PRESETS, AttackResult, attack
from seatbelt_vae.attacks.ingredients import check_lambdas
from seatbelt_vae.data import pairs
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.assessment import Assessment, assess
from seatbelt_vae.experiments.damage import DamageAssessment, assess_damage
from seatbelt_vae.experiments.spec import Count, Section, Seed, checked
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.training import choose_device

MODES = ("latent", "output", "damage")


class AttackSpec(Section):
    """Everything that decides an attack on a model; `seatbelt_vae.attacks.attack` says what each setting means.

    Attributes:
        mode: "latent", "output", or "damage", which has no target and needs radii.
        pairs: number of pairs of a source and a target, drawn from the test images; damage attacks the sources.
        pair_seed: of that draw: the same seed gives models of the same data the same pairs.
        lambdas: "paper" for its 51 weights of the distortion, or the weights.

    Example:
        >>> AttackSpec.of(mode="output").name
        'output-d4ee9975'
    """

    mode: str = "latent"
    divergence: str | None = None
    layers: str | tuple[Annotated[int, Field(ge=0)], ...] | None = None
    lambdas: str | tuple[float, ...] = "paper"
    solver: str = "path"
    penalty: str = "norm"
    radii: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    ball: str = "l2"
    restarts: Count = 1
    pairs: Count = 10
    pair_seed: Seed = 0
    samples: Annotated[int, Field(ge=0)] | None = None
    target_noise: str = "same"
    seed: Seed = 0
    max_iterations: Count | None = None
    waves: Annotated[int, Field(ge=2)] | None = None

    @classmethod
    def of(cls, preset: str | None = None, **settings: Any) -> "AttackSpec":
        """Check settings.

        Args:
            preset: a name of `seatbelt_vae.attacks.PRESETS`, from which the rest comes.
            settings: those that are given; None means not given.

        Raises:
            InputError: one is unknown or out of range.

        Example:
            >>> AttackSpec.of("kos", pairs=3).penalty
            'squared'
        """
        given = {name: value for name, value in settings.items() if value is not None}
        spec = checked(cls, {**_preset(preset), **given}, "attack")
        check_lambdas(spec.lambdas)
        if spec.mode not in MODES:
            raise InputError(f"mode: {spec.mode!r} is none that a run can be attacked in, use {' or '.join(MODES)}")
        if spec.radii and spec.lambdas != "paper":
            raise InputError("lambdas: mean nothing where radii are given, leave out either")
        if spec.mode == "damage" and not spec.radii:
            raise InputError("radii: a damage attack needs the budgets of its distortion, such as 1,2,4")
        return spec

    @property
    def name(self) -> str:
        """The attack's name in its run: mode, divergence and the first of a hash of the settings off their default."""
        settings = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        kind = f"{self.mode}-{self.divergence}" if self.divergence else self.mode
        return f"{kind}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"


def run_attack(folder: RunFolder, spec: AttackSpec, *, device: str = "auto", progress: bool = False) -> str:
    """Attack a trained model with pairs of its test images and measure what that gained.

    An attack that is in the folder is not made again.

    Args:
        folder: the run.
        spec: the attack.
        device: where to compute.
        progress: show a bar on stderr.

    Returns:
        The attack's name, for `RunFolder.attack`.

    Raises:
        InputError: the run is not finished, it has too few test images, or a setting is wrong.
    """
    if spec.name in folder.attacks:
        return spec.name
    model = folder.model().to(choose_device(device))
    drawn = pairs(folder.split.test, spec.pairs, spec.pair_seed)
    settings = spec.model_dump(exclude={"pairs", "pair_seed"})
    bounds = folder.split.test.bounds
    target = None if spec.mode == "damage" else drawn.target
    result = attack(model, drawn.source, target, **settings, bounds=bounds, progress=progress)
    known = {"pairs": spec.pairs, "pair_seed": spec.pair_seed, "pairs_digest": drawn.digest}
    known |= {"decoder_sees": model.decoder_sees, "model_layers": len(model.latent_sizes)}
    result = dataclasses.replace(result, settings={**result.settings, **known})
    measure = assess_damage if spec.mode == "damage" else assess
    assessment = measure(model, result, seed=spec.seed)
    result.save(folder.attacks_path, spec.name)
    assessment.save(folder.attacks_path, spec.name)  # written last: what has it is whole
    return spec.name


def summarise_attack(result: AttackResult, assessment: Assessment | DamageAssessment) -> dict[str, Any]:
    """Say what an attack gained, in values that JSON can hold.

    Returns:
        ``pairs``; for each of ``lambdas`` (radii where there are balls) the means over pairs of ``objective`` (Δ) and
        ``distortion`` (‖d‖); ``evaluations``; the attack's ``settings``. With a target also ``pairs_defined``, those
        for which success means something; over these ``auddc`` and ``success_at_0.5`` (with ‖d‖ ≤ ½‖x − x_t‖) as value,
        low and high ends of a 95 % interval, or None; the means of ``success`` and ``target_nll`` (nats). Of a damage
        attack ``damage`` (‖rec(x*) − rec(x)‖) with its interval at each radius, and the mean of ``source_nll`` (nats).
    """
    gained = _damaged(assessment) if isinstance(assessment, DamageAssessment) else _gained(result, assessment)
    return {
        "pairs": len(result.source),
        **gained,
        "lambdas": result.lambdas.tolist(),
        "objective": result.objective.mean(0).tolist(),
        "distortion": result.distortion.mean(0).tolist(),
        "evaluations": int(result.evaluations.sum()),
        "settings": result.settings,
    }


def _gained(result: AttackResult, assessment: Assessment) -> dict[str, Any]:
    defined = assessment.defined(result.target)
    success_at = metrics.success_at(assessment.relative_distortion, assessment.success, 0.5)
    return {
        "pairs_defined": int(defined.sum()),
        "auddc": _interval(assessment.auddc[defined], metrics.AUDDC_RANGE),
        "success_at_0.5": _interval(success_at[defined], metrics.SUCCESS_RANGE),
        "success": assessment.success[defined].mean(0).tolist(),
        "target_nll": assessment.target_nll.mean(0).tolist(),
    }


def _damaged(assessment: DamageAssessment) -> dict[str, Any]:
    return {
        "damage": [_interval(damage, (0.0, math.inf)) for damage in assessment.damage.T],
        "source_nll": assessment.source_nll.mean(0).tolist(),
    }


def _interval(values: Tensor, possible: tuple[float, float]) -> dict[str, float] | None:
    return dataclasses.asdict(metrics.bootstrap_interval(values, possible=possible)) if len(values) else None


def _preset(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    if not isinstance(name, str) or name not in PRESETS:
        raise InputError(f"preset: {name!r} is unknown, use one of {', '.join(PRESETS)}")
    settings = PRESETS[name].items()
    return {key: tuple(value.tolist()) if isinstance(value, Tensor) else value for key, value in settings}
