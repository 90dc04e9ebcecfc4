"""From a spec to the model and the objective that it describes, with the defaults of one table."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import ExperimentSpec, label
from seatbelt_vae.experiments.build import build_model, build_objective, median_distance, resolved
from seatbelt_vae.experiments.spec import OBJECTIVES, ROBUST
from seatbelt_vae.models import VARIANTS, build
from seatbelt_vae.objectives import AVAE, ELBO, HFVAE, Adversarial, BetaTC, BetaVAE, Denoising, FactorVAE, HoldMSE
from seatbelt_vae.settings import settings_of

GREY = ImageDataset(torch.zeros(8, 1, 28, 28, dtype=torch.uint8))
COLOUR = ImageDataset(torch.zeros(8, 3, 28, 28, dtype=torch.uint8))
EARLIER = json.loads(Path(__file__).with_name("earlier_specs.json").read_text(encoding="utf-8"))


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
        ("dlgm", ELBO, 4),
        ("ladder-vae", ELBO, 4),
        ("biva", ELBO, 4),
        ("beta-tcdlgm", BetaTC, 4),
        ("seatbelt", BetaTC, 4),
        ("lipschitz-vae", ELBO, 1),
    ],
)
def test_every_name_builds_its_model_and_objective(name: str, kind: type, layers: int) -> None:
    spec = resolve(model={"name": name, "network": "mlp"})
    model, objective = build_model(spec, GREY.image_shape), build_objective(spec, GREY)
    assert type(objective) is kind
    assert len(model.latent_sizes) == layers
    x = GREY[:4]
    assert torch.isfinite(objective(model(x), x, len(GREY)).loss)


def test_the_table_of_names_is_whole() -> None:
    assert {known.objective for known in VARIANTS.values()} == set(OBJECTIVES)


@pytest.mark.parametrize("dataset", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_factory_and_a_spec_build_the_same_model(name: str, dataset: ImageDataset) -> None:
    """One truth for every default: sizes, layers, likelihood, posterior, hidden sizes."""
    with torch.device("meta"):
        mine = build(name, dataset.image_shape)
        theirs = build_model(resolve(dataset, model={"name": name}), dataset.image_shape)
    assert mine.recipe == theirs.recipe
    shapes = [weight.shape for weight in mine.parameters()]
    assert shapes == [weight.shape for weight in theirs.parameters()]


@pytest.mark.parametrize("earlier", EARLIER, ids=[each["run_name"] for each in EARLIER])
def test_specs_of_earlier_versions_are_the_same_runs(earlier: dict[str, Any]) -> None:
    spec = ExperimentSpec.of(earlier["spec"])
    assert (spec.digest, spec.run_name) == (earlier["digest"], earlier["run_name"])
    assert ExperimentSpec.of(spec.model_dump(mode="json")).digest == earlier["digest"]
    for table, settings in earlier["spec"].items():
        assert spec.model_dump(mode="json")[table].items() >= settings.items()


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
    written_out = resolve(model={"name": "seatbelt", "layers": 4}, objective={"beta": BetaTC().beta})
    assert written_out.digest == spec.digest


def test_settings_reach_the_objective() -> None:
    settings = {"beta": 3.0, "estimator": "mss", "tc_samples": 64, "free_bits": 0.125, "warm_up": 5, "anneal": 7}
    assert build_objective(resolve(objective=settings), GREY) == BetaTC(**settings)  # type: ignore[arg-type]
    groups = ((0, 1), (2,))
    spec = resolve(model={"name": "hfvae", "latent_sizes": (3,)}, objective={"groups": groups, "gamma": 2.0})
    assert build_objective(spec, GREY) == HFVAE(groups=groups, gamma=2.0)


def test_the_training_seed_decides_the_first_weights_and_leaves_the_global_generator_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        spec = resolve(model={"name": "factor-vae", "network": "mlp"}, training={"seed": seed})
        objective = build_objective(spec, GREY)
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
    assert label(resolve(model={"name": "seatbelt"}, objective={"beta": 4.0})) == "Seatbelt-VAE L=4 β=4"
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
    for model in ({"likelihood": "poisson"}, {"posterior": "chian"}):
        with pytest.raises(InputError, match="must be one of"):
            ExperimentSpec.of({"model": model})
    with pytest.raises(InputError, match="network 'transformer': must be one of"):
        build_model(resolve(model={"network": "transformer"}), GREY.image_shape)
    with pytest.raises(InputError, match=r"objective\.estimator: Input should be 'mws', 'mss' or 'leave-one-in'"):
        resolve(objective={"estimator": "mvs"})


def spread(count: int = 2000) -> ImageDataset:
    """Images of one grey each, from black to white."""
    levels = torch.arange(count) * 255 // (count - 1)
    return ImageDataset(levels.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28).clone())


def test_the_radius_is_a_share_of_the_median_distance_of_two_images() -> None:
    images = spread()
    spec = resolve(images, model={"name": "vae"}, robust={"method": "adversarial", "radius": 0.25, "inner_steps": 3})
    objective = build_objective(spec, images)
    assert isinstance(objective, Adversarial)
    assert objective.base == ELBO()
    assert objective.radius == pytest.approx(0.25 * median_distance(images))
    assert objective.inner_steps == 3
    # Two numbers drawn from [0, 1] differ by 1 - sqrt(1/2) in the median.
    assert median_distance(images) == pytest.approx(28 * (1 - math.sqrt(0.5)), rel=0.1)


def test_the_median_distance_of_few_images() -> None:
    images = ImageDataset(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 3, 3).clone())
    assert median_distance(images) == 3.0


def test_several_methods_are_applied_inside_out() -> None:
    robust = {"method": ["denoising", "avae"], "radius": 0.1, "rho": 0.9}
    spec = resolve(spread(), model={"name": "beta-vae"}, robust=robust)
    objective = build_objective(spec, spread())
    assert isinstance(objective, AVAE)
    assert isinstance(objective.base, Denoising)
    assert objective.base.base == BetaVAE()
    assert (objective.rho, objective.weight) == (0.9, AVAE(ELBO()).weight)
    assert spec.robust.share == 0.5
    assert spec.run_name.startswith("beta-vae-denoising-avae-L1-b4-")
    assert label(spec) == "β-VAE β=4 + denoising + avae ε=0.1"


def test_the_error_can_be_held() -> None:
    robust = {"method": ["adversarial", "hold-mse"], "radius": 0.1, "mse": 0.01}
    objective = build_objective(resolve(spread(), model={"name": "vae"}, robust=robust), spread())
    assert isinstance(objective, HoldMSE)
    assert isinstance(objective.base, Adversarial)
    assert objective.mse == 0.01


def test_no_robust_training_is_no_part_of_the_digest() -> None:
    assert resolve(robust={}).digest == resolve().digest
    assert "robust" not in resolve().identity


@pytest.mark.parametrize(
    ("robust", "message"),
    [
        ({"method": "adverserial", "radius": 1}, "robust.method: 'adverserial' is unknown (did you mean adversarial?)"),
        ({"method": "adversarial"}, "robust.radius: method adversarial needs it"),
        ({"method": "avae", "radius": 0.1}, "robust.radius: 0.1 means nothing to the method avae"),
        ({"radius": 0.1}, "robust.radius: 0.1 means nothing to the method None"),
        ({"method": "denoising", "radius": -1}, "robust.radius -1.0: must be a finite distance"),
        ({"method": "hold-mse"}, "robust.mse: method hold-mse needs it"),
        ({"method": "avae", "rho": 2}, "robust.rho 2.0: must be a correlation"),
        ({"method": "denoising", "radius": 1, "shar": 1}, "robust.shar: no such setting, did you mean share?"),
    ],
)
def test_robust_settings_that_cannot_be(robust: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(robust=robust)
    assert message in str(caught.value)


def test_every_setting_is_explained() -> None:
    for name, field in ExperimentSpec.model_fields.items():
        for setting in settings_of(field.annotation).values():  # type: ignore[arg-type]
            assert setting.help, (name, setting.name)
    assert set(ROBUST) == {"adversarial", "smooth-encoder", "avae", "denoising", "hold-mse"}
