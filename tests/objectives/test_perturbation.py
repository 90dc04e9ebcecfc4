"""The ball, and the worst image in it, against closed forms and fine searches."""

import math

import pytest
import torch
from scipy.optimize import minimize
from torch import nn
from torch.distributions import kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, build, vae
from seatbelt_vae.objectives.perturbation import Ball, distance, worst_case

SCALE = 0.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ball_of(x: torch.Tensor, radius: float) -> Ball:
    return Ball(x, torch.full((len(x), 1), radius), (0.0, 1.0))


def linear(weight: torch.Tensor) -> HierarchicalVAE:
    """A model of 1 × 2 images with μ = W x and σ = SCALE, whatever the image, and some decoder."""
    torch.manual_seed(1)
    latents = len(weight)
    decoder = nn.Sequential(nn.Linear(latents, 2), nn.Unflatten(1, (1, 1, 2)))
    model = vae((1, 1, 2), latent_sizes=(latents,), network=(nn.Flatten(), decoder))
    head = model.posterior.conditionals[0].network
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[:latents] = weight
        head.bias[latents:] = 7 * math.atanh(math.log(SCALE) / 7)
    return model


def hierarchy(name: str) -> HierarchicalVAE:
    torch.manual_seed(0)
    return build(name, (1, 28, 28), latent_sizes=(4, 3), network="tiny", hidden_sizes=(8, 8))


def in_ball(ball: Ball, image: torch.Tensor) -> bool:
    length = torch.linalg.vector_norm((image - ball.centre).flatten(1), dim=1, keepdim=True)
    low, high = ball.bounds
    return bool((length <= ball.radius * (1 + 1e-5)).all() and (image >= low).all() and (image <= high).all())


def test_the_farthest_image_is_that_of_a_constrained_search() -> None:
    """scipy maximises the same inner product under the same constraints."""
    x = torch.tensor([0.95, 0.2, 0.0, 0.5, 1.0])
    g = torch.tensor([2.0, -1.0, -3.0, 0.5, 1.0])
    found = ball_of(x.view(1, 1, 1, 5), 0.6).farthest(g.view(1, 1, 1, 5)).flatten()
    best = minimize(
        lambda d: -float(g.double().numpy() @ d),
        torch.zeros(5).numpy(),
        bounds=[(-float(v), 1 - float(v)) for v in x],
        constraints={"type": "ineq", "fun": lambda d: 0.36 - d @ d},
    )
    assert float(g @ (found - x)) == pytest.approx(-best.fun, abs=1e-4)
    torch.testing.assert_close(found - x, torch.tensor(best.x, dtype=torch.float32), atol=1e-3, rtol=0)


def test_random_images_have_the_radius_and_keep_the_bounds() -> None:
    x = torch.rand(50, 1, 8, 8, generator=seeded())
    x[:, :, :4] = 1.0  # white, as most of a chair's image is
    ball = ball_of(x, 0.7)
    image = ball.random(seeded(1))
    assert in_ball(ball, image)
    length = torch.linalg.vector_norm((image - x).flatten(1), dim=1)
    torch.testing.assert_close(length, torch.full((50,), 0.7), rtol=0.02, atol=0)


def test_a_ball_that_holds_the_whole_box_ends_in_a_corner() -> None:
    ball = ball_of(torch.full((1, 1, 1, 2), 0.5), 1.0)
    assert ball.farthest(torch.tensor([[[[1.0, -1e-3]]]])).tolist() == [[[[1.0, 0.0]]]]


def test_no_gradient_gives_the_image_itself() -> None:
    ball = ball_of(torch.full((1, 1, 2, 2), 0.5), 0.1)
    assert torch.equal(ball.farthest(torch.zeros(1, 1, 2, 2)), ball.centre)


@pytest.mark.parametrize("target", ["untargeted-latent", "reconstruction"])
def test_the_inner_maximum_against_a_fine_search_over_all_directions(target: str) -> None:
    model = linear(torch.tensor([[3.0, 1.0], [-0.5, 2.0]]))
    ball = ball_of(torch.full((1, 1, 1, 2), 0.5), 0.05)
    angle = torch.linspace(0, 2 * math.pi, 20_001)
    circle = ball.centre + 0.05 * torch.stack([angle.cos(), angle.sin()], -1).view(-1, 1, 1, 2)
    with torch.no_grad():
        best = distance(model, ball.centre, target)(circle).max()  # type: ignore[arg-type]
        worst = worst_case(model, ball, seeded(), steps=30, target=target)  # type: ignore[arg-type]
        reached = distance(model, ball.centre, target)(worst)  # type: ignore[arg-type]
    assert in_ball(ball, worst)
    assert float(reached) == pytest.approx(float(best), rel=1e-4)


def test_the_inner_maximum_of_a_linear_encoder_in_closed_form() -> None:
    r"""max KL = ε² s₁² / (2σ²), s₁ the largest singular value; two steps find more than nine tenths of it."""
    weight = torch.tensor([[3.0, 1.0], [-0.5, 2.0]])
    model, largest = linear(weight), float(torch.linalg.matrix_norm(weight, 2))
    ball = ball_of(torch.full((64, 1, 1, 2), 0.5), 0.05)
    closed = (0.05 * largest / SCALE) ** 2 / 2
    few = distance(model, ball.centre, "untargeted-latent")(worst_case(model, ball, seeded(), steps=2))
    many = distance(model, ball.centre, "untargeted-latent")(worst_case(model, ball, seeded(), steps=40))
    torch.testing.assert_close(many.detach(), torch.full((64,), closed), rtol=1e-4, atol=0)
    assert float(few.detach().mean()) > 0.9 * closed


def test_the_targeted_step_goes_straight_to_the_next_image() -> None:
    """KL of a linear encoder with orthogonal rows of one length is least on the line to the target."""
    model = linear(torch.eye(2))
    x = torch.tensor([[0.2, 0.2], [0.8, 0.8]]).view(2, 1, 1, 2)
    worst = worst_case(model, ball_of(x, 0.1), seeded(), steps=5, target="targeted")
    step = 0.1 / math.sqrt(2)
    expected = torch.tensor([[0.2 + step] * 2, [0.8 - step] * 2]).view(2, 1, 1, 2)
    torch.testing.assert_close(worst, expected, atol=1e-4, rtol=0)


def test_a_target_is_not_come_nearer_to_than_the_image_itself() -> None:
    x = torch.tensor([[0.2, 0.2], [0.8, 0.8]]).view(2, 1, 1, 2)
    worst = worst_case(linear(torch.eye(2)), ball_of(x, 0.8), seeded(), steps=2, target="targeted")
    torch.testing.assert_close(worst.flatten(), torch.tensor([0.44, 0.44, 0.56, 0.56]), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("name", "layers"), [("dlgm", 1), ("seatbelt", 2), ("ladder-vae", 1), ("biva", 2)])
def test_the_divergence_sums_over_the_layers_that_the_decoder_sees(name: str, layers: int) -> None:
    model, x = hierarchy(name).eval(), torch.rand(3, 1, 28, 28, generator=seeded())
    other = (x + 0.1).clamp(max=1.0)
    with torch.no_grad():
        found = distance(model, x, "untargeted-latent")(other)
        pairs = list(zip(model.encode(other), model.encode(x), strict=True))[:layers]
        expected = torch.stack([kl_divergence(q, t).sum(-1) for q, t in pairs]).sum(0)
    torch.testing.assert_close(found, expected)


def test_the_search_leaves_the_model_as_it_was() -> None:
    """Batch statistics, modes, gradients and the right to have one."""
    torch.manual_seed(0)
    model = vae((1, 32, 32)).train()
    model.posterior.features[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    worst_case(model, ball_of(torch.rand(4, 1, 32, 32), 1.0), seeded())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert modes == [module.training for module in model.modules()]
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


def test_the_search_does_not_see_dropout() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    decoder = nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)))
    torch.manual_seed(0)
    model = vae((1, 4, 4), latent_sizes=(2,), network=(encoder, decoder)).train()
    ball = ball_of(torch.rand(3, 1, 4, 4), 0.3)
    assert torch.equal(worst_case(model, ball, seeded()), worst_case(model, ball, seeded()))


def test_a_posterior_that_is_no_gaussian_is_refused() -> None:
    model = linear(torch.eye(2))
    model.encode = lambda x: (torch.distributions.Laplace(x.flatten(1), 1.0),)  # type: ignore[method-assign, assignment]
    with pytest.raises(InputError, match="posterior Laplace: robust training needs a diagonal Gaussian"):
        worst_case(model, ball_of(torch.full((1, 1, 1, 2), 0.5), 0.1), seeded())
