from typing import Any

import pytest
import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import FAMILY, ExperimentSpec, label
from seatbelt_vae.experiments.family import OBJECTIVES, build_model, build_objective, resolved
from seatbelt_vae.models import FACTORIES
from seatbelt_vae.objectives import ELBO, HFVAE, BetaTC, BetaVAE, FactorVAE

GREY = ImageDataset(torch.zeros(8, 1, 28, 28, dtype=torch.uint8))
COLOUR = ImageDataset(torch.zeros(8, 3, 28, 28, dtype=torch.uint8))


def resolve(dataset: ImageDataset = GREY, **tables: Any) -> ExperimentSpec:
    return resolved(ExperimentSpec.of(tables), dataset)


@pytest.mark.parametrize(
    ("name", "kind", "layers"),
    [
        ("vae", ELBO, 1),
        ("beta-vae", BetaVAE, 1),
        ("factor-vae", FactorVAE, 1),
        ("hfvae", HFVAE, 1),
        ("beta-tcvae", BetaTC, 1),
        ("dlgm", ELBO, 3),
        ("ladder-vae", ELBO, 3),
        ("biva", ELBO, 3),
        ("beta-tcdlgm", BetaTC, 3),
        ("seatbelt", BetaTC, 3),
    ],
)
def test_every_name_builds_its_model_and_objective(name: str, kind: type, layers: int) -> None:
    spec = resolve(model={"name": name, "network": "mlp"})
    model, objective = build_model(spec, GREY.image_shape), build_objective(spec)
    assert type(objective) is kind
    assert len(model.latent_sizes) == layers
    x = GREY[:4]
    assert torch.isfinite(objective(model(x), x, len(GREY)).loss)


def test_the_table_of_names_is_whole() -> None:
    assert {known.network for known in FAMILY.values()} == set(FACTORIES)
    assert {known.objective for known in FAMILY.values()} == set(OBJECTIVES)


def test_default_sizes_and_likelihoods() -> None:
    assert resolve(model={"layers": 4}).model.latent_sizes == (96, 48, 24, 12)
    assert resolve(COLOUR, model={"layers": 4}).model.latent_sizes == (256, 128, 64, 32)
    assert resolve(model={"name": "vae"}).model.latent_sizes == (32,)
    assert resolve(model={"layers": 1}).model.latent_sizes == (32,)
    assert resolve(model={"latent_sizes": (7, 5)}).model.layers == 2
    assert resolve().model.likelihood == "bernoulli"
    assert resolve(COLOUR).model.likelihood == "gaussian"


def test_a_resolved_spec_is_resolved_to_itself_and_says_the_defaults() -> None:
    spec = resolve(model={"name": "seatbelt"})
    assert resolved(spec, GREY) == spec
    assert spec.data.digest == GREY.digest
    assert spec.objective.beta == BetaTC().beta
    assert spec.objective.estimator == BetaTC().estimator
    written_out = resolve(model={"name": "seatbelt", "layers": 3}, objective={"beta": BetaTC().beta})
    assert written_out.digest == spec.digest


def test_settings_reach_the_objective() -> None:
    settings = {"beta": 3.0, "estimator": "mss", "tc_samples": 64, "free_bits": 0.125, "warm_up": 5, "anneal": 7}
    assert build_objective(resolve(objective=settings)) == BetaTC(**settings)  # type: ignore[arg-type]
    groups = ((0, 1), (2,))
    spec = resolve(model={"name": "hfvae", "latent_sizes": (3,)}, objective={"groups": groups, "gamma": 2.0})
    assert build_objective(spec) == HFVAE(groups=groups, gamma=2.0)


def test_the_training_seed_decides_the_first_weights_and_leaves_the_global_generator_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        spec = resolve(model={"name": "factor-vae", "network": "mlp"}, training={"seed": seed})
        objective = build_objective(spec)
        assert isinstance(objective, FactorVAE)
        parts = [*build_model(spec, GREY.image_shape).parameters(), *objective.discriminator.parameters()]
        return torch.cat([part.detach().flatten()[:5] for part in parts])

    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    first = weights(0)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


def test_beta_one_is_the_elbo() -> None:
    assert resolve(model={"name": "vae"}, objective={"beta": 1.0}).digest == resolve(model={"name": "vae"}).digest


def test_labels() -> None:
    assert label(resolve(model={"name": "seatbelt"}, objective={"beta": 4.0})) == "Seatbelt-VAE L=3 β=4"
    assert label(resolve(model={"name": "vae"})) == "VAE"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"model": {"name": "seatbelr"}},
            "model: 'seatbelr' is unknown (did you mean seatbelt?), use one of vae, beta-vae",
        ),
        ({"model": {"name": "vae", "layers": 2}}, "layers: vae has one layer, not 2; models that take more: dlgm,"),
        ({"model": {"layers": 3, "latent_sizes": (4, 2)}}, "layers: 3 do not go with 2 latent_sizes"),
        ({"model": {"layers": 6}}, "layers: there are default sizes for at most 5"),
        (
            {"model": {"name": "vae"}, "objective": {"beta": 4}},
            "beta: 4.0 means nothing to the objective elbo, only to",
        ),
        ({"objective": {"gamma": 4}}, "gamma: 4.0 means nothing to the objective beta-tc, only to factor-vae, hfvae"),
        ({"objective": {"name": "beta-tv"}}, "objective: 'beta-tv' is unknown (did you mean beta-tc?)"),
        ({"data": {"digest": "0" * 64}}, "data: sprites has digest"),
    ],
)
def test_settings_that_do_not_go_together(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(**tables)
    assert message in str(caught.value)


def test_the_parts_refuse_what_they_do_not_know() -> None:
    for model in ({"likelihood": "poisson"}, {"posterior": "chian"}, {"network": "transformer"}):
        with pytest.raises(InputError, match="must be one of"):
            build_model(resolve(model=model), GREY.image_shape)
    with pytest.raises(InputError, match="estimator 'mvs'"):
        build_objective(resolve(objective={"estimator": "mvs"}))
