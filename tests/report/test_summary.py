from dataclasses import replace

from seatbelt_vae.report.matching import comparisons
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial
from seatbelt_vae.report.summary import how_far, summary, verdict

from .synthetic import synthetic_runs


def with_auddc(comparison: Comparison, shifts: list[float]) -> Comparison:
    """The comparison with each model's AUDDC that of the first, shifted."""
    first = comparison.trials[0].assessment.auddc
    trials = [
        replace(trial, assessment=replace(trial.assessment, auddc=first + shift))
        for trial, shift in zip(comparison.trials, shifts, strict=True)
    ]
    return replace(comparison, trials=tuple(trials))


def test_three_sentences_from_the_numbers(runs: list[ReportRun]) -> None:
    sentences = summary(runs, comparisons(runs))
    assert len(sentences) == 3
    assert all(sentence.endswith(".") for sentence in sentences)
    assert sentences[0].startswith("Three models (VAE; β-TCVAE, β=4; Seatbelt-VAE, L=3, β=4) were trained on sprites")
    assert "2 pairs of images at 7 weights λ" in sentences[0]
    assert "−163" in sentences[2]


def test_grids_that_differ_are_told_apart(runs: list[ReportRun]) -> None:
    latent, output = comparisons(runs)
    trial = output.trials[0]
    settings = {**trial.result.settings, "ball": "l2"}
    result = replace(trial.result, lambdas=trial.result.lambdas[:3], settings=settings)
    said = summary(runs, [latent, replace(output, trials=(replace(trial, result=result),))])[0]
    assert said.endswith(
        "attacked on 2 pairs of images: latent attack (KL) at 7 weights λ of the distortion "
        "and output attack at 3 radii ε."
    )


def test_the_verdict_follows_the_sign_and_the_test() -> None:
    latent = comparisons(synthetic_runs(pairs=8, count=5, modes=("latent",)))[0]
    said = verdict(with_auddc(latent, [0.0, 0.1, -0.1]))
    better, worse = said.split(", while ")
    assert better.startswith("By AUDDC on the same pairs, β-TCVAE, β=4 (+0.1")
    assert better.endswith("resisted it better than VAE")
    assert worse.startswith("Seatbelt-VAE, L=3, β=4 (−0.1")
    assert worse.endswith("resisted it worse than VAE.")
    assert "cannot be told apart" not in said


def test_no_difference_is_said_to_be_none() -> None:
    latent = comparisons(synthetic_runs(pairs=8, count=5, modes=("latent",)))[0]
    assert verdict(with_auddc(latent, [0.0, 0.0, 0.0])).count("cannot be told apart from VAE") == 1


def test_two_pairs_are_never_enough_for_a_verdict(latent: Comparison) -> None:
    said = verdict(with_auddc(latent, [0.0, 0.3, -0.3]))
    assert "better" not in said
    assert "worse" not in said


def test_one_pair_says_so() -> None:
    latent = comparisons(synthetic_runs(pairs=1, count=5, modes=("latent",)))[0]
    assert "cannot be told" in verdict(latent)
    assert "[" not in how_far(latent)


def test_one_model_without_an_attack() -> None:
    (run,) = synthetic_runs(models=1, pairs=1, count=3, modes=())
    sentences = summary([run], comparisons([run]))
    assert sentences[0] == "One model (VAE) was trained on sprites."
    assert "attacked" in sentences[1]
    assert len(sentences) == 3


def test_a_model_that_ignores_its_input_is_said_to(latent: Comparison) -> None:
    """Where the posterior has collapsed rec(x_t) = rec(x): there is no success, good or bad."""

    def collapsed(trial: Trial) -> Trial:
        same = trial.assessment.source_reconstruction
        return replace(trial, assessment=replace(trial.assessment, target_reconstruction=same))

    first, *rest = latent.trials
    some = replace(latent, trials=(collapsed(first), *rest))
    assert "it has no success for VAE, where it is defined on no pair" in how_far(some)
    assert "cannot be told" in verdict(some)
    every = replace(latent, trials=tuple(map(collapsed, latent.trials)))
    assert "reached" not in how_far(every)
    assert verdict(replace(latent, trials=(collapsed(first),))) == "AUDDC of VAE is not defined on any pair."
    assert "[" in verdict(replace(latent, trials=(first,)))
