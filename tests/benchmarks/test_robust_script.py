"""The measures of the robustness benchmark, by hand."""

from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.objectives import ELBO, Adversarial, HoldMSE, SmoothEncoder

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return import_module("robust")


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return import_module("robust_measures")


@pytest.fixture
def copying() -> HierarchicalVAE:
    """A model whose reconstruction is its image, for pixels between 0 and 1, of unit amplification."""
    encoder = nn.Flatten()
    model = vae((1, 2, 2), latent_sizes=(4,), network=(encoder, nn.Unflatten(1, (1, 2, 2))), likelihood="gaussian")
    head = model.posterior.conditionals[0].network
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[:4] = torch.eye(4)
    return model.eval()


def grey(value: float, count: int = 1) -> Tensor:
    return torch.full((count, 1, 2, 2), value)


def test_settings_are_numbers_where_they_can_be(script: ModuleType) -> None:
    assert script.parsed(["radius=0.1", "target=targeted"]) == {"radius": 0.1, "target": "targeted"}


def test_radii_are_shares_of_the_distance(script: ModuleType) -> None:
    objective = script.held(ELBO(), 8.0, mse=0.01, radius=0.5)
    assert isinstance(objective, HoldMSE)
    assert isinstance(objective.base, Adversarial)
    assert objective.base.radius == 4.0


def test_the_error_is_held_around_the_method_that_is_named(script: ModuleType) -> None:
    objective = script.held(ELBO(), 8.0, mse=0.01, inner="smooth", radius=0.5, gamma=2.0)
    assert objective.base == SmoothEncoder(ELBO(), radius=4.0, gamma=2.0)


def test_the_control_holds_the_error_without_an_adversary(script: ModuleType) -> None:
    assert script.held(ELBO(), 8.0, mse=0.01).base == ELBO()


def test_a_model_that_copies_is_damaged_by_as_much_as_is_changed(
    measures: ModuleType, copying: HierarchicalVAE
) -> None:
    source = grey(0.5, 2)
    radii = [0.1, 0.3]
    expected = torch.tensor([radii, radii])
    images = measures.damage(copying, source, radii, restarts=2)
    torch.testing.assert_close(measures.moved(copying, source, images), expected, atol=1e-4, rtol=0)
    again = measures.damage_from(copying, source, radii, images)
    torch.testing.assert_close(measures.moved(copying, source, again), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(measures.noise_damage(copying, source, radii), expected, atol=1e-4, rtol=0)


def test_a_search_without_gradients_reaches_the_end_of_the_ball(measures: ModuleType, copying: HierarchicalVAE) -> None:
    control = import_module("robust_control")
    source = grey(0.5, 2)
    images = control.search(copying, source, 0.2, torch.eye(4), evaluations=100)
    assert (images - source).flatten(1).norm(dim=1).max() <= 0.2 + 1e-6
    assert measures.moved(copying, source, images[:, None]).min() > 0.19


def test_mig_of_a_latent_that_is_the_factor(measures: ModuleType, copying: HierarchicalVAE) -> None:
    """One latent tells black from white, and the others nothing."""
    control = import_module("robust_control")
    images = torch.cat([torch.zeros(8, 1, 2, 2), 255 * torch.ones(8, 1, 2, 2)]).to(torch.uint8)
    data = ImageDataset(images, factors=torch.arange(16)[:, None] // 8, factor_names=("shade",))
    with torch.no_grad():
        copying.posterior.conditionals[0].network.weight[:4] *= 9
        copying.posterior.conditionals[0].network.weight[1:4] = 0  # three latents that know nothing
    subject = SimpleNamespace(model=copying)
    assert control.disentangled(subject, data)["mig"] > 0.9


def test_noise_has_its_length_beside_the_bounds(measures: ModuleType) -> None:
    source = torch.tensor([1.0, 1.0, 0.0, 0.5]).view(1, 1, 2, 2)
    images = measures.noisy(source, [0.05, 0.2])
    assert images.min() >= 0
    assert images.max() <= 1
    lengths = (images - source[:, None]).flatten(2).norm(dim=-1).view(1, measures.NOISES, 2)
    torch.testing.assert_close(lengths[..., 0], torch.full_like(lengths[..., 0], 0.05), rtol=1e-3, atol=0)


def test_a_model_that_copies_gives_in_half_way(measures: ModuleType, copying: HierarchicalVAE) -> None:
    found = measures.targeted(copying, grey(0.0), grey(1.0), "latent")
    assert found["f50_latent_each"] == pytest.approx([0.5], abs=0.06)


def test_the_median_distance_of_two_kinds_of_images(measures: ModuleType) -> None:
    class Images:
        def __len__(self) -> int:
            return 3

        def sample(self, count: int) -> Tensor:
            return torch.tensor([0.0, 0.0, 3.0]).view(3, 1, 1, 1)[:count]

    assert measures.median_distance(Images()) == 3.0


def test_nothing_of_one_workplace_is_in_the_scripts() -> None:
    for path in SCRIPTS.glob("robust*.py"):
        assert "/work" not in path.read_text()
