"""An attack on a run: made once, measured, and kept in the run's folder."""

from dataclasses import replace

from seatbelt_vae.attacks import assess, attack
from seatbelt_vae.data import draw_pairs
from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.measures import Attacked
from seatbelt_vae.training import choose_device


def run_attack(folder: RunFolder, spec: AttackSpec, *, device: str = "auto", progress: bool = False) -> str:
    """Attack a trained model with pairs of images, and measure what the model made of them.

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
        KeyboardInterrupt: Ctrl-C; what other attacks found is kept.
    """
    name: str = spec.name
    if name in folder.attacks:
        return name
    place = choose_device(device)
    origin = folder.origin(place)
    model = folder.model().to(place)
    test = folder.split.test
    drawn = draw_pairs(test, spec.pair_kind, spec.pairs, spec.pair_seed)
    objective, budget, solver = spec.triple()
    target = None
    if objective.targeted:
        target = drawn.target
    try:
        result = attack(
            model,
            drawn.source,
            target,
            objective,
            budget,
            solver,
            seed=spec.seed,
            bounds=test.bounds,
            progress=progress,
        )
        assessment = assess(model, result, seed=spec.seed)
    except KeyboardInterrupt as stop:
        stop.args = (f"stopped in the attack {name}, of which nothing is kept; the same command starts it again",)
        raise
    known = {
        "pairs": spec.pairs,
        "pair_seed": spec.pair_seed,
        "pair_kind": spec.pair_kind,
        "pairs_digest": drawn.digest,
        "model_layers": len(model.latent_sizes),
        "decoder_sees": model.decoder_sees,
    }
    result = replace(result, settings={**result.settings, **known})
    folder.save_attack(name, Attacked(result, assessment), origin)
    return name
