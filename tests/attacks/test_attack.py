import dataclasses
import inspect

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.distributions import Independent, Normal, kl_divergence

from seatbelt_vae.attacks import (
    SOLVERS,
    Adam,
    AttackResult,
    Ball,
    Cold,
    Continuation,
    Damage,
    Latent,
    Output,
    Penalty,
    Scipy,
    attack,
    paper_lambdas,
    reconstruct,
)
from seatbelt_vae.attacks.noise import draw
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import attack_success, auddc, relative_distortion
from seatbelt_vae.models import build
from seatbelt_vae.optim import Status
from seatbelt_vae.storage import write_json

NAMES = ["continuation", "cold", "scipy"]
LAMBDAS = [0.0, 0.5, 2.0, 1e4]


def interior_pair(linear):
    """A pair whose linear problem has its minimiser inside the bounds for every λ: the target is near the source."""
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    push = torch.linalg.pinv(linear.w.detach()) @ torch.tensor([0.4, -0.3, 0.2], dtype=torch.float64)
    return source, source + push.view_as(source).clamp(-0.4, 0.4)


def best_on_the_path(linear, source, target, lam):
    """The minimum of KL(d) + λ‖d‖ for equal scales: d = (WᵀAW + μI)⁻¹ WᵀA(m_t − m), a search over μ = λ/‖d‖ alone."""
    w, scale = linear.w.detach(), linear.scale.detach()[:, 0]
    precision = scale**-2
    gap = w @ (target - source).flatten()
    hessian, right = w.T @ (precision[:, None] * w), w.T @ (precision * gap)
    eye = torch.eye(16, dtype=torch.float64)

    def objective(log_mu):
        d = torch.linalg.solve(hessian + 10**log_mu * eye, right)
        return (0.5 * precision * (w @ d - gap) ** 2).sum().item() + lam * d.norm().item()

    return min(minimize_scalar(objective, bounds=(-9, 9), method="bounded", options={"xatol": 1e-10}).fun, objective(9))


@pytest.mark.parametrize("solver", NAMES)
@pytest.mark.parametrize("lam", [0.3, 1.0])
def test_linear_encoder_reaches_the_minimum_of_a_one_dimensional_search(linear, solver, lam):
    source, target = interior_pair(linear)
    result = attack(linear, source, target, budget=Penalty([lam]), solver=SOLVERS[solver]())
    expected = best_on_the_path(linear, source, target, lam)
    assert abs(result.objective.item() - expected) <= 1e-5 * max(1.0, expected)


@pytest.mark.parametrize("solver", NAMES)
@pytest.mark.parametrize("objective", [Latent(), Output()])
def test_solution_is_inside_the_bounds_and_adds_up(hierarchy, images, objective, solver):
    few = SOLVERS[solver](max_iterations=15)
    result = attack(hierarchy, images[:2], images[2:], objective, Penalty(LAMBDAS), few)
    assert result.adversarial.shape == (2, 4, 1, 28, 28)
    assert result.adversarial.min() >= 0
    assert result.adversarial.max() <= 1
    lambdas = result.budget.values.double()
    distortion = (result.adversarial - result.source[:, None]).flatten(2).norm(dim=-1)
    torch.testing.assert_close(result.distortion, distortion, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(result.objective, result.discrepancy + lambdas * result.distortion)
    assert (result.evaluations >= 0).all()
    assert result.evaluations.sum() > 0


def test_discrepancy_is_the_divergence_at_the_adversarial_image(hierarchy, images):
    result = attack(hierarchy, images[:2], images[2:], Latent(), Penalty(LAMBDAS), Continuation(15))
    for column in range(len(LAMBDAS)):
        q, t = hierarchy.encode(result.adversarial[:, column]), hierarchy.encode(result.target)
        expected = sum(kl_divergence(a, b).sum(-1) for a, b in zip(q, t, strict=True))
        torch.testing.assert_close(result.discrepancy[:, column], expected.detach(), rtol=1e-6, atol=1e-8)


def test_no_penalty_fools_and_a_huge_penalty_leaves_the_source_alone(hierarchy, images):
    result = attack(hierarchy, images[:2], images[2:], Latent(), Penalty([0.0, 1e6]), Continuation(300))
    clean = attack(hierarchy, images[:2], images[2:], Latent(), Penalty([1e9]), Continuation(1)).discrepancy[:, 0]
    assert (result.discrepancy[:, 0] < 0.01 * clean).all()
    assert (result.distortion[:, 1] < 1e-6).all()


def test_a_pair_is_attacked_alike_alone_and_in_company(hierarchy, images):
    parts = Latent(samples=2), Penalty([0.0, 1.0]), Cold(8)
    together = attack(hierarchy, images[:2], images[2:], *parts)
    alone = attack(hierarchy, images[:1], images[2:3], *parts)
    torch.testing.assert_close(together.adversarial[:1], alone.adversarial, rtol=0, atol=1e-10)


@pytest.mark.parametrize("solver", [Continuation(8), Cold(8)])
def test_a_small_memory_budget_makes_pairs_wait_and_changes_nothing(hierarchy, images, solver):
    parts = Latent(), Penalty([0.0, 1.0]), solver
    roomy, tight = (attack(hierarchy, images[:2], images[2:], *parts, memory=b) for b in (2**30, 1))
    torch.testing.assert_close(tight.adversarial, roomy.adversarial, rtol=0, atol=1e-10)
    assert torch.equal(tight.evaluations, roomy.evaluations)


def test_same_seed_same_attack_and_another_seed_another(hierarchy, images):
    parts = Output(), Penalty([0.5]), Continuation(4)
    first, again = (attack(hierarchy, images[:2], images[2:], *parts, seed=1) for _ in range(2))
    other = attack(hierarchy, images[:2], images[2:], *parts, seed=2)
    assert torch.equal(first.adversarial, again.adversarial)
    assert not torch.equal(first.adversarial, other.adversarial)


def test_the_model_is_left_as_it_was(hierarchy, images):
    hierarchy.train()
    before = {name: value.clone() for name, value in hierarchy.state_dict().items()}
    attack(hierarchy, images[:2], images[2:], Latent(), Penalty([1.0]), Continuation(2))
    assert hierarchy.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in hierarchy.parameters())
    assert all(torch.equal(value, before[name]) for name, value in hierarchy.state_dict().items())


def test_a_foreign_model_with_shaped_latents_can_be_attacked(linear):
    source, target = interior_pair(linear)
    for objective in (Latent(), Output()):
        result = attack(linear, source, target, objective, Penalty([0.0]), Continuation(200))
        assert result.status.item() in (Status.CONVERGED, Status.STALLED)


def test_a_divergence_of_ones_own(hierarchy, images):
    def l1_means(q, t):
        return (q.loc - t.loc).abs().sum(-1)

    result = attack(hierarchy, images[:1], images[2:3], Latent(l1_means), Penalty([1e9]), Continuation(1))
    q, t = hierarchy.encode(images[:1]), hierarchy.encode(images[2:3])
    expected = sum((a.loc - b.loc).abs().sum(-1) for a, b in zip(q, t, strict=True))
    torch.testing.assert_close(result.discrepancy[:, 0], expected.detach(), rtol=1e-4, atol=1e-6)
    assert result.settings["objective"]["divergence"] == "l1_means"


def test_layers_follow_what_the_decoder_sees(images):
    shape = tuple(images.shape[1:])
    for name, layers in (("seatbelt", [0, 1]), ("dlgm", [0])):
        model = build(name, shape, latent_sizes=(3, 2), network="mlp").eval()
        result = attack(model, images[:1].float(), images[2:3].float(), Latent(), Penalty([1.0]), Continuation(1))
        assert result.settings["objective"]["layers"] == layers
    assert model.decoder_sees == "bottom"
    assert inspect.signature(attack).parameters["objective"].default.layers is None


def test_saved_attack_comes_back_to_the_bit(hierarchy, images, tmp_path):
    result = attack(hierarchy, images[:2], images[2:], Latent(), Penalty([0.0, 1.0]), Continuation(3))
    result.save(tmp_path, "latent")
    loaded = AttackResult.load(tmp_path, "latent")
    assert torch.equal(loaded.budget.values, result.budget.values)
    assert (loaded.budget.kind, loaded.budget.symbol) == ("penalty", "λ")
    for field in dataclasses.fields(result):
        value, again = getattr(result, field.name), getattr(loaded, field.name)
        if field.name != "budget":
            assert torch.equal(value, again) if isinstance(value, torch.Tensor) else value == again


def test_a_file_that_is_no_attack_of_this_version_is_named(hierarchy, images, tmp_path):
    result = attack(hierarchy, images[:2], images[2:], Latent(), Penalty([1.0]), Continuation(1))
    result.save(tmp_path, "old")
    write_json(tmp_path / "old.json", {"mode": "latent", "solver": "path"})
    with pytest.raises(InputError, match=r"old\.safetensors: is not an attack of this version"):
        AttackResult.load(tmp_path, "old")


def test_a_result_prints_itself_in_a_few_lines(hierarchy, images):
    result = attack(hierarchy, images[:2], None, Damage(), Ball([0.1, 0.2]), Cold(2))
    lines = str(result).splitlines()
    assert len(lines) <= 5
    assert max(len(line) for line in lines) <= 100
    for word in ("2 pairs", "damage attack (reconstruction)", "2 values of ε", "from 0.1 to 0.2", "mean distortion"):
        assert word in str(result)
    assert f"{int(result.evaluations.sum())} evaluations, 4 of 4 solves did not converge" in str(result)


def test_what_is_recorded_is_what_was_used(hierarchy, images):
    settings = attack(hierarchy, images[:2], images[2:], Latent(samples=1), Penalty([1.0], squared=True)).settings
    assert settings == {
        "objective": {"name": "latent", "divergence": "kl", "layers": [0, 1, 2], "samples": 1, "target_noise": "same"},
        "budget": {"name": "penalty", "squared": True},
        "solver": {"name": "continuation", "max_iterations": 1000, "passes": 2},
        "seed": 0,
        "bounds": [0.0, 1.0],
        "smoothed": True,
    }
    inside = attack(hierarchy, images[:2], None, Damage("skl", layers="top"), Ball([1e-6], norm="linf"), seed=3)
    assert not inside.targeted
    assert torch.equal(inside.target, inside.source)
    assert inside.settings == {
        "objective": {"name": "damage", "divergence": "skl", "layers": [2]},
        "budget": {"name": "ball", "norm": "linf", "restarts": 1},
        "solver": {"name": "cold", "max_iterations": 1000},
        "seed": 3,
        "bounds": [0.0, 1.0],
        "smoothed": False,
    }
    output = attack(hierarchy, images[:2], images[2:], Output(), Penalty([1.0]), Adam(2, learning_rate=0.1))
    assert output.targeted
    assert output.settings["objective"] == {"name": "output", "divergence": "elbo", "samples": 4}
    assert output.settings["solver"] == {"name": "adam", "max_iterations": 2, "learning_rate": 0.1}


def test_more_passes_are_never_worse(hierarchy, images):
    found = [
        attack(hierarchy, images[:2], images[2:], Latent(), Penalty([1e6, 1.0, 0.01]), Continuation(5, passes))
        for passes in (2, 3)
    ]
    assert (found[1].objective <= found[0].objective).all()
    assert (found[1].objective < found[0].objective).any()
    assert (found[1].evaluations[:, 0] > found[0].evaluations[:, 0]).all()
    assert [each.settings["solver"]["passes"] for each in found] == [2, 3]


def test_paper_grid():
    grid = paper_lambdas()
    assert len(grid) == 51
    assert grid[0] == 0
    torch.testing.assert_close(grid[1:].log2(), torch.linspace(-20, 20, 50))


def test_random_numbers_of_a_pair_do_not_depend_on_the_others():
    source = torch.zeros(3, 1, 2, 2)
    start, noise = draw(source, [torch.Size([5])], samples=2, seed=3)
    fewer_start, fewer = draw(source[:2], [torch.Size([5])], samples=2, seed=3)
    assert torch.equal(start[:2], fewer_start)
    assert torch.equal(noise.source[0][:2], fewer.source[0])
    assert torch.equal(noise.target[0][:2], fewer.target[0])
    assert not (noise.source[0] == noise.target[0]).any()
    assert torch.equal(noise.first(2).source[0], fewer.source[0])
    assert (start != 0).all()
    assert (start.abs() <= 1).all()


def test_attacks_begin_next_to_the_source(hierarchy, images):
    start = prepare(hierarchy, images[:2], images[2:]).problem.x0
    assert (start != 0).all()
    assert (start.abs() <= 1e-8).all()


ONE = torch.ones(1, 1, 28, 28)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": 2 * ONE}, "source: pixels from 2 to 2 are outside"),
        ({"target": ONE * float("nan")}, "target: holds NaN"),
        ({"target": ONE.repeat(2, 1, 1, 1)}, "must both be"),
        ({"source": ONE[:0], "target": ONE[:0]}, "a pair at least"),
        ({"source": ONE.to(torch.uint8)}, "divide 8-bit images by 255"),
        ({"bounds": (1.0, 0.0)}, "the lower must be below"),
        ({"target": None}, "target: the objective latent needs target images"),
        ({"target": None, "objective": Output()}, "target: the objective output needs target images"),
        ({"objective": Latent(layers=[7])}, r"layers \[7\]: must be different indices from 0 \(the bottom\) to 2"),
        ({"objective": Damage(), "budget": Ball([1.0])}, "target: the objective damage has none, leave it out"),
        ({"objective": Damage(), "target": None}, "budget penalty: damage needs limits of distortion, such as Ball"),
        (
            {"budget": Ball([1.0]), "solver": Continuation()},
            r"solver continuation: cannot keep to a ball, use Cold\(\)",
        ),
        ({"budget": Ball([1.0]), "solver": Scipy()}, "solver scipy: cannot keep to a ball"),
        ({"budget": Ball([1.0]), "solver": Adam()}, "solver adam: cannot keep to a ball"),
        ({"objective": "output"}, "objective 'output': must be one of Latent, Output, Damage"),
        ({"objective": Penalty()}, "objective Penalty.*: must be one of Latent, Output, Damage"),
        ({"budget": [1.0]}, r"budget \[1.0\]: must be one of Penalty, Ball"),
        ({"solver": "cold"}, "solver 'cold': must be one of Continuation, Cold, Scipy, Adam"),
    ],
)
def test_bad_input_is_refused_in_one_line(hierarchy, changes, message):
    arguments = {"source": ONE, "target": 0 * ONE, "budget": Penalty([1.0]), "solver": None, **changes}
    with pytest.raises(InputError, match=message) as caught:
        attack(hierarchy, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"restarts": 5},
        {"ball": "linf"},
        {"radii": [1.0], "lambdas": [1.0]},
        {"penalty": "squared"},
        {"mode": "output", "layers": "top"},
        {"samples": 4},
        {"waves": 3},
        {"chunk": 0},
    ],
)
def test_a_setting_has_no_place_but_its_part(hierarchy, arguments):
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        attack(hierarchy, ONE, 0 * ONE, **arguments)


def test_noise_of_its_own_for_the_target_puts_a_floor_under_a_hierarchy(hierarchy, images):
    """At d = x_t − x common noise leaves nothing of Δ; with the target's own, what upper layers drew apart stays."""
    source, target = images[:2], images[2:]
    floor = {}
    for noise in ("same", "own"):
        setup = prepare(hierarchy, source, target, Latent(samples=3, target_noise=noise))
        floor[noise] = setup.problem.fun((target - source).flatten(1), torch.arange(2))
    torch.testing.assert_close(floor["same"], torch.zeros(2).to(floor["same"]), atol=1e-9, rtol=0)
    assert (floor["own"] > 1e-6).all()
    first = prepare(hierarchy, source, target, Latent(samples=3, target_noise="own", layers="bottom"))
    clean = first.problem.fun((target - source).flatten(1), torch.arange(2))
    torch.testing.assert_close(clean, torch.zeros_like(clean), atol=1e-9, rtol=0)  # nothing is drawn below layer 1


def test_inference_mode_is_named(hierarchy, images):
    with torch.inference_mode(), pytest.raises(InputError, match=r"torch.inference_mode\(\) turns off"):
        attack(hierarchy, images[:2], images[2:], Latent(), Penalty([1.0]))


@pytest.mark.parametrize("divergence", ["skl", "kl", "w2", "l2-means", "reconstruction"])
def test_damage_does_not_end_where_it_begins(hierarchy, images, divergence):
    # At the source a divergence from its own posterior is least, and its gradient 0: a search from there is at its end.
    found = attack(hierarchy, images[:2], None, Damage(divergence), Ball([2.0]), Cold(20))
    random = images[:2] + torch.nn.functional.normalize(torch.randn(2, 784), dim=1).view(2, 1, 28, 28) * 2.0
    anywhere = prepare(hierarchy, images[:2], None, Damage(divergence)).problem
    d = (random - images[:2]).flatten(1).clamp(anywhere.lower, anywhere.upper)
    assert (-found.discrepancy[:, 0] > 2 * -anywhere.fun(d, torch.arange(2))).all()
    assert (found.distortion > 1.9).all()


class Winding(torch.nn.Module):
    """Encodes images to themselves and a wave, so that a search from the source ends before the target."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def encode(self, x, noise=None):
        loc = (x + 0.1 * torch.sin(60 * x)).flatten(1)
        return (Normal(loc, torch.full_like(loc, self.sigma)),)

    def decode(self, z):
        return Independent(Normal(z[0].view(-1, 1, 2, 2), torch.ones(1, 1, 2, 2)), 3)


@pytest.fixture
def black_and_white():
    return torch.full((1, 1, 2, 2), 0.05), torch.full((1, 1, 2, 2), 0.95)


@pytest.mark.parametrize("sigma", [1.0, 0.1, 1e-2, 1e-4])
def test_continuation_has_no_violations_and_cold_has(black_and_white, sigma):
    source, target = black_and_white
    grid = Penalty([0.0, 2.0**-10, 0.1, 1.0, 100.0, 1e5])
    found = attack(Winding(sigma), source, target, budget=grid)
    torch.testing.assert_close(found.bound[0], found.budget.values.double() * 1.8, rtol=1e-6, atol=2e-3)
    assert found.objective[0, 0] <= 1e-6
    assert (found.objective <= found.bound * (1 + 1e-6)).all()
    assert not found.violations.any()
    assert "failed" not in str(found)
    cold = attack(Winding(sigma), source, target, budget=grid, solver=Cold())
    assert cold.violations.any()
    assert f"{int(cold.violations.sum())} failed: the target itself has a lower Δ" in str(cold)


def test_violations_are_counted_from_the_bound_on(black_and_white):
    result = attack(Winding(1.0), *black_and_white, budget=Penalty([0.5, 1.0, 2.0]), solver=Cold(2))
    bound = torch.tensor([[1.0, 2.0, -1.0]], dtype=torch.float64)
    values = bound + torch.tensor([[9e-5, 3e-4, 2e-4]])
    result = dataclasses.replace(result, bound=bound, objective=values)
    assert result.violations.tolist() == [[False, True, True]]
    assert result.violations.dtype == torch.bool


def test_the_bound_of_an_output_attack_is_evaluated_at_the_target(hierarchy, images):
    source, target = images[:2], images[2:]
    result = attack(hierarchy, source, target, Output(), Penalty([0.0, 2.0]), Cold(1))
    r = prepare(hierarchy, source, target, Output()).problem.fun((target - source).flatten(1), torch.arange(2))
    charge = torch.tensor([0.0, 2.0]) * (target - source).flatten(1).norm(dim=1)[:, None]
    torch.testing.assert_close(result.bound, r[:, None] + charge, rtol=1e-5, atol=0)


def test_without_a_target_nothing_is_violated(hierarchy, images, tmp_path):
    result = attack(hierarchy, images[:2], None, Damage(), Ball([0.1, 0.2]), Cold(1))
    assert result.bound is None
    assert not result.violations.any()
    assert result.violations.shape == (2, 2)
    assert attack(hierarchy, images[:2], images[2:], Latent(), Ball([0.1]), Cold(1)).bound is None
    result.save(tmp_path, "damage")
    assert AttackResult.load(tmp_path, "damage").bound is None


class Scaled(torch.nn.Module):
    """A model whose latents, means and standard deviations, are c times as large; it decodes to the same images."""

    def __init__(self, model, c):
        super().__init__()
        self.model = model
        self.c = c

    def encode(self, x, noise=None):
        return tuple(Normal(self.c * q.loc, self.c * q.scale) for q in self.model.encode(x))

    def decode(self, z):
        return self.model.decode([layer / self.c for layer in z])


def test_the_scale_of_the_latents_does_not_change_auddc(hierarchy, images):
    source, target = images[:1], images[2:3]

    def area(model):
        found = attack(model, source, target, budget=Penalty([2.0**power for power in range(-6, 5, 2)]))
        seen = reconstruct(model, found.adversarial[0])[None]
        success = attack_success(seen, reconstruct(model, source), reconstruct(model, target), target)
        return float(auddc(relative_distortion(found.distortion, source, target), success))

    expected = area(hierarchy)
    for c in (1e-3, 100.0):
        assert area(Scaled(hierarchy, c)) == pytest.approx(expected, abs=0.01)
