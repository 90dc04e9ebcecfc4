from dataclasses import replace

import numpy as np
import pytest
import torch

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.summary import holm, summary, verdict

from .synthetic import changed, inside_balls, synthetic_runs, with_success


def with_shifts(group: Group, shifts: list[float]) -> Group:
    """Each model's success that of the first, shifted: AUDDC moves the other way."""
    first = group.trials[0].attacked
    success = first.success * 0.6 + 0.2
    records = []
    for trial, shift in zip(group.trials, shifts, strict=True):
        records.append(replace(trial.record, attacks={"latent": with_success(first, success + shift)}))
    (made,) = groups(records)
    return made


def collapsed(record: Record) -> Record:
    """Where the posterior has collapsed rec(x_t) = rec(x): there is no success, good or bad."""
    attacked = record.attacks["latent"]
    same = attacked.assessment.source_reconstruction
    return replace(record, attacks={"latent": changed(attacked, assessment={"target_reconstruction": same})})


def test_two_sentences_from_the_numbers(runs: list[Record]) -> None:
    sentences = summary(runs, groups(runs))
    assert len(sentences) == 2
    assert all(sentence.endswith(".") for sentence in sentences)
    assert sentences[0].startswith("3 models (VAE; β-TCVAE, β=4; Seatbelt-VAE, L=3, β=4) were trained on sprites")
    assert "2 pairs of images at 7 weights λ" in sentences[0]
    assert "−163" in sentences[1]


def test_a_model_that_was_not_measured_is_named(runs: list[Record]) -> None:
    without = replace(runs[1], evaluation={})
    assert summary([runs[0], without], ())[-1] == "The clean ELBO of β-TCVAE, β=4 has not been measured."


def test_grids_that_differ_are_told_apart(runs: list[Record]) -> None:
    latent, output = groups(runs)
    attacked = output.trials[0].attacked
    cut = {name: getattr(attacked.result, name)[:, :3] for name in ("objective", "discrepancy", "distortion", "status")}
    three = inside_balls(changed(attacked, budget=attacked.result.budget.values[:3], **cut))
    (balls,) = groups([Record("a", "a", attacks={"attack": three})])
    said = summary(runs, [latent, replace(balls, title="Output attack")])[0]
    assert said.endswith(
        "attacked on 2 pairs of images: latent attack (KL) at 7 weights λ of the distortion "
        "and output attack at 3 radii ε."
    )


def test_the_verdict_follows_the_sign_and_the_test() -> None:
    latent = groups(synthetic_runs(pairs=8, count=5, modes=("latent",)))[0]
    said = verdict(with_shifts(latent, [0.0, -0.1, 0.1]))
    better, worse = said.split(", while ")
    assert better.startswith("By AUDDC on the same pairs, β-TCVAE, β=4 (+0.")
    assert better.endswith("resisted it better than VAE")
    assert worse.startswith("Seatbelt-VAE, L=3, β=4 (−0.")
    assert worse.endswith("resisted it worse than VAE.")
    assert "cannot be told apart" not in said


def test_no_difference_is_said_to_be_none() -> None:
    latent = groups(synthetic_runs(pairs=8, count=5, modes=("latent",)))[0]
    assert verdict(with_shifts(latent, [0.0, 0.0, 0.0])).count("cannot be told apart from VAE") == 1


def test_two_pairs_are_never_enough_for_a_verdict(latent: Group) -> None:
    said = verdict(with_shifts(latent, [0.0, -0.3, 0.3]))
    assert "better" not in said
    assert "worse" not in said


def test_one_pair_says_so() -> None:
    latent = groups(synthetic_runs(pairs=1, count=5, modes=("latent",)))[0]
    assert "cannot be told" in verdict(latent)


def test_one_model_without_an_attack() -> None:
    (run,) = synthetic_runs(models=1, pairs=1, count=3, modes=())
    sentences = summary([run], groups([run]))
    assert sentences[0] == "1 model (VAE) was trained on sprites."
    assert "attacked" in sentences[1]
    assert len(sentences) == 3


def test_a_model_that_ignores_its_input_is_said_to() -> None:
    runs = synthetic_runs(modes=("latent",))
    (some,) = groups([collapsed(runs[0]), *runs[1:]])
    assert "cannot be told" in verdict(some)
    (every,) = groups([collapsed(run) for run in runs])
    assert "cannot be told" in verdict(every)
    (alone,) = groups([collapsed(runs[0])])
    assert verdict(alone) == "AUDDC of VAE is not defined on any pair."
    (alone,) = groups(runs[:1])
    assert "[" in verdict(alone)


def test_holm_is_bonferroni_for_the_smallest_and_never_above_one() -> None:
    p_values = [0.2, 0.011, 0.5, 0.9]
    adjusted = holm(p_values)
    assert adjusted[1] == pytest.approx(4 * 0.011)
    assert max(adjusted) <= 1
    assert sorted(adjusted) == [adjusted[place] for place in np.argsort(p_values)]
    assert holm([0.03]) == [0.03]


def test_shifted_successes_are_what_they_say(latent: Group) -> None:
    shifted = with_shifts(latent, [0.0, 0.1, -0.1])
    first, second = (trial.attacked.success for trial in shifted.trials[:2])
    assert torch.allclose(second - first, torch.full_like(first, 0.1), atol=1e-4)
