import os
import tomllib
from pathlib import Path

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec, ExperimentSpec, SweepSpec
from seatbelt_vae.experiments.grid import expand


def test_the_product_in_the_order_of_the_file_the_last_fastest() -> None:
    grid = expand(ExperimentSpec, {"objective": {"beta": [1, 4]}, "training": {"seed": [0, 1, 2], "steps": 5}})
    assert [(each["objective"]["beta"], each["training"]["seed"]) for each in grid] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (4, 0),
        (4, 1),
        (4, 2),
    ]
    assert all(each["training"]["steps"] == 5 for each in grid)


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        ({"latent_sizes": [8, 4]}, [[8, 4]]),
        ({"latent_sizes": [[8, 4], [8]]}, [[8, 4], [8]]),
        ({"latent_sizes": [[8, 4]]}, [[8, 4]]),
        ({"name": ["vae"]}, ["vae"]),
    ],
)
def test_a_list_is_a_value_where_the_setting_is_a_list(settings: dict, runs: list) -> None:
    (name,) = settings
    assert [each["model"][name] for each in expand(ExperimentSpec, {"model": settings})] == runs


def test_lists_that_are_values_or_names() -> None:
    assert [each["lambdas"] for each in expand(AttackSpec, {"lambdas": [0.1, 1]})] == [[0.1, 1]]
    assert [each["lambdas"] for each in expand(AttackSpec, {"lambdas": ["paper", [0.1, 1]]})] == ["paper", [0.1, 1]]
    assert [each["layers"] for each in expand(AttackSpec, {"layers": ["all", "top", [0, 1]]})] == [
        "all",
        "top",
        [0, 1],
    ]
    groups = {"objective": {"groups": [[0, 1], [2]]}}
    assert expand(ExperimentSpec, groups) == [groups]
    assert len(expand(ExperimentSpec, {"objective": {"groups": [[[0, 1], [2]], [[0], [1, 2]]]}})) == 2


def test_nothing_given_is_one_run() -> None:
    assert expand(ExperimentSpec, {}) == [{}]
    assert SweepSpec.of({}).runs == (ExperimentSpec(),)


def test_runs_are_laid_over_the_tables_and_equal_ones_are_one() -> None:
    spec = SweepSpec.of(
        tomllib.loads("""
        [training]
        steps = 7
        seed = [0, 1]
        [[runs]]
        model.name = "vae"
        [[runs]]
        model.name = "seatbelt"
        objective.beta = [1, 4]
        training.seed = 0
        [[runs]]
        model.name = "vae"
        training.seed = [1, 2]
    """)
    )
    assert [(run.model.name, run.objective.beta, run.training.seed) for run in spec.runs] == [
        ("vae", None, 0),
        ("vae", None, 1),
        ("seatbelt", 1.0, 0),
        ("seatbelt", 4.0, 0),
        ("vae", None, 2),
    ]
    assert {run.training.steps for run in spec.runs} == {7}


def test_robust_training_in_a_grid() -> None:
    spec = SweepSpec.of(
        tomllib.loads("""
        [robust]
        method = ["adversarial", "denoising"]
        radius = [0.1, 0.2]
    """)
    )
    assert [(run.robust.methods, run.robust.radius) for run in spec.runs] == [
        (("adversarial", "denoising"), 0.1),
        (("adversarial", "denoising"), 0.2),
    ]


def test_attacks_and_evaluation() -> None:
    spec = SweepSpec.of(
        tomllib.loads("""
        [evaluate]
        samples = 3
        [[attack]]
        objective = ["latent", "output"]
        pairs = 2
        [[attack]]
        preset = ["kos", "tabacof"]
    """)
    )
    assert spec.evaluate is not None
    assert spec.evaluate.samples == 3
    assert [attack.objective for attack in spec.attacks[:2]] == ["latent", "output"]
    assert spec.attacks[2] == AttackSpec.of("kos")
    assert len(spec.attacks) == 4
    assert SweepSpec.of({"evaluate": {}}).evaluate is not None
    assert SweepSpec.of({}).evaluate is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[modle]", "sweep: modle: no such setting, did you mean model?"),
        ("[objective]\nbeat = [1, 2]", "sweep: objective.beat: no such setting, did you mean beta?"),
        ("[objective]\nbeta = [1, -2]", "sweep: objective.beta -2.0: must be"),
        ("[objective]\nbeta = [1, nan]", "sweep: objective.beta: .*finite number"),
        ("[objective]\nbeta = []", r"sweep: objective.beta: .*valid number, got \[\]"),
        ("[model]\nlatent_sizes = [0, 4]", r"sweep: model.latent_sizes \(0, 4\): must be one positive whole number"),
        ("[training]\nsteps = ['many']", r"sweep: training.steps: .*integer, got \['many'\]"),
        ("model = 3", "sweep: model: .*dictionary, got 3"),
        ("runs = []", "sweep: runs is empty"),
        ("[[runs]]\nmodle.name = 'vae'", "sweep: modle: no such setting, did you mean model?"),
        ("[evaluate]\nsample = 2", "sweep: evaluate: sample: no such setting, did you mean samples?"),
        (
            "[evaluate]\nmeasures = ['elbo', 'dcj']",
            r"sweep: evaluate: measures: 'dcj' is unknown \(did you mean dci\?\)",
        ),
        ("[evaluate]\nscales = [0.1]", "sweep: evaluate: scales: need measures"),
        ("[attack]\nobjectiv = 'latent'", "sweep: attack: objectiv: no such setting, did you mean objective?"),
        ("[attack]\nobjective = ['latent', 'nope']", "sweep: attack: objective: 'nope' is unknown"),
        ("[attack]\npreset = 'papers'", "sweep: attack: preset: 'papers' is unknown"),
        ("[robust]\nmethod = 'nope'", "sweep: robust.method: 'nope' is unknown"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        SweepSpec.of(tomllib.loads(text))
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read \(No such file"):
        SweepSpec.read(tmp_path / "none.toml")


def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text("[model")
    with pytest.raises(InputError, match=r"sweep\.toml: is not valid TOML"):
        SweepSpec.read(tmp_path / "sweep.toml")


def test_a_sweep_without_end_is_refused_before_it_is_laid_out() -> None:
    lists = {name: list(range(1, 200)) for name in ("steps", "seed", "batch_size")}
    with pytest.raises(InputError, match="its lists make 7880599 runs; at most 100000 are made"):
        SweepSpec.of({"training": lists})


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "sweep.toml")
    with pytest.raises(InputError, match=r"sweep\.toml: cannot be read \(is no plain file\)"):
        SweepSpec.read(tmp_path / "sweep.toml")
