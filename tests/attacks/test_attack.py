import dataclasses

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.distributions import kl_divergence

from seatbelt_vae import attacks
from seatbelt_vae.attacks import AttackResult, attack, paper_lambdas, prepare
from seatbelt_vae.attacks.ingredients import draw_per_pair
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import Status

SOLVERS = ["path", "cold", "scipy"]
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


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("lam", [0.3, 1.0])
def test_linear_encoder_reaches_the_minimum_of_a_one_dimensional_search(linear, solver, lam):
    source, target = interior_pair(linear)
    result = attack(linear, source, target, lambdas=[lam], solver=solver)
    expected = best_on_the_path(linear, source, target, lam)
    assert abs(result.objective.item() - expected) <= 1e-5 * max(1.0, expected)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mode", ["latent", "output"])
def test_solution_is_inside_the_bounds_and_adds_up(hierarchy, images, mode, solver):
    result = attack(hierarchy, images[:2], images[2:], mode=mode, lambdas=LAMBDAS, solver=solver, max_iterations=15)
    assert result.adversarial.shape == (2, 4, 1, 28, 28)
    assert result.adversarial.min() >= 0
    assert result.adversarial.max() <= 1
    lambdas = result.lambdas.double()
    distortion = (result.adversarial - result.source[:, None]).flatten(2).norm(dim=-1)
    torch.testing.assert_close(result.distortion, distortion, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(result.objective, result.discrepancy + lambdas * result.distortion)
    assert (result.evaluations >= 0).all()
    assert result.evaluations.sum() > 0


def test_discrepancy_is_the_divergence_at_the_adversarial_image(hierarchy, images):
    result = attack(hierarchy, images[:2], images[2:], lambdas=LAMBDAS, max_iterations=15)
    for column in range(len(LAMBDAS)):
        q, t = hierarchy.encode(result.adversarial[:, column]), hierarchy.encode(result.target)
        expected = sum(kl_divergence(a, b).sum(-1) for a, b in zip(q, t, strict=True))
        torch.testing.assert_close(result.discrepancy[:, column], expected.detach(), rtol=1e-6, atol=1e-8)


def test_no_penalty_fools_and_a_huge_penalty_leaves_the_source_alone(hierarchy, images):
    result = attack(hierarchy, images[:2], images[2:], lambdas=[0.0, 1e6], max_iterations=300)
    clean = attack(hierarchy, images[:2], images[2:], lambdas=[1e9], max_iterations=1).discrepancy[:, 0]
    assert (result.discrepancy[:, 0] < 0.01 * clean).all()
    assert (result.distortion[:, 1] < 1e-6).all()


def test_a_pair_is_attacked_alike_alone_and_in_company(hierarchy, images):
    settings = {"lambdas": [0.0, 1.0], "solver": "cold", "max_iterations": 8, "samples": 2}
    together = attack(hierarchy, images[:2], images[2:], **settings)
    alone = attack(hierarchy, images[:1], images[2:3], **settings)
    torch.testing.assert_close(together.adversarial[:1], alone.adversarial, rtol=0, atol=1e-10)


@pytest.mark.parametrize("solver", ["path", "cold"])
def test_a_small_memory_budget_makes_pairs_wait_and_changes_nothing(hierarchy, images, solver):
    settings = {"lambdas": [0.0, 1.0], "solver": solver, "max_iterations": 8}
    roomy, tight = (attack(hierarchy, images[:2], images[2:], memory_budget=b, **settings) for b in (2**30, 1))
    torch.testing.assert_close(tight.adversarial, roomy.adversarial, rtol=0, atol=1e-10)
    assert torch.equal(tight.evaluations, roomy.evaluations)


def test_same_seed_same_attack_and_another_seed_another(hierarchy, images):
    settings = {"mode": "output", "lambdas": [0.5], "max_iterations": 4}
    first, again = (attack(hierarchy, images[:2], images[2:], seed=1, **settings) for _ in range(2))
    other = attack(hierarchy, images[:2], images[2:], seed=2, **settings)
    assert torch.equal(first.adversarial, again.adversarial)
    assert not torch.equal(first.adversarial, other.adversarial)


def test_the_model_is_left_as_it_was(hierarchy, images):
    hierarchy.train()
    before = {name: value.clone() for name, value in hierarchy.state_dict().items()}
    attack(hierarchy, images[:2], images[2:], lambdas=[1.0], max_iterations=2)
    assert hierarchy.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in hierarchy.parameters())
    assert all(torch.equal(value, before[name]) for name, value in hierarchy.state_dict().items())


def test_a_foreign_model_with_shaped_latents_can_be_attacked(linear):
    source, target = interior_pair(linear)
    for mode in ("latent", "output"):
        result = attack(linear, source, target, mode=mode, lambdas=[0.0], max_iterations=200)
        assert result.status.item() in (Status.CONVERGED, Status.STALLED)


def test_a_divergence_of_ones_own(hierarchy, images):
    def l1_means(q, t):
        return (q.loc - t.loc).abs().sum(-1)

    result = attack(hierarchy, images[:1], images[2:3], divergence=l1_means, lambdas=[1e9], max_iterations=1)
    q, t = hierarchy.encode(images[:1]), hierarchy.encode(images[2:3])
    expected = sum((a.loc - b.loc).abs().sum(-1) for a, b in zip(q, t, strict=True))
    torch.testing.assert_close(result.discrepancy[:, 0], expected.detach(), rtol=1e-4, atol=1e-6)
    assert result.settings["divergence"] == "l1_means"


def test_layers_follow_what_the_decoder_sees(hierarchy, images):
    settings = {"lambdas": [1.0], "max_iterations": 1}
    assert attack(hierarchy, images[:1], images[2:3], **settings).settings["layers"] == [0, 1, 2]
    hierarchy.likelihood.sees_all = False
    assert hierarchy.decoder_sees == "bottom"
    assert attacks.attack.__kwdefaults__["layers"] is None


def test_saved_attack_comes_back_to_the_bit(hierarchy, images, tmp_path):
    result = attack(hierarchy, images[:2], images[2:], lambdas=[0.0, 1.0], max_iterations=3)
    result.save(tmp_path, "latent")
    loaded = AttackResult.load(tmp_path, "latent")
    for field in dataclasses.fields(result):
        value, again = getattr(result, field.name), getattr(loaded, field.name)
        assert torch.equal(value, again) if isinstance(value, torch.Tensor) else value == again


def test_more_waves_are_never_worse(hierarchy, images):
    found = [
        attack(hierarchy, images[:2], images[2:], lambdas=[1e6, 1.0, 0.01], max_iterations=5, waves=waves)
        for waves in (None, 3)
    ]
    assert (found[1].objective <= found[0].objective).all()
    assert (found[1].objective < found[0].objective).any()
    assert (found[1].evaluations[:, 0] > found[0].evaluations[:, 0]).all()
    assert [each.settings["waves"] for each in found] == [None, 3]


def test_paper_grid():
    grid = paper_lambdas()
    assert len(grid) == 51
    assert grid[0] == 0
    torch.testing.assert_close(grid[1:].log2(), torch.linspace(-20, 20, 50))


def test_random_numbers_of_a_pair_do_not_depend_on_the_others():
    source = torch.zeros(3, 1, 2, 2)
    start, noise = draw_per_pair(source, [torch.Size([5])], samples=2, seed=3)
    fewer_start, fewer_noise = draw_per_pair(source[:2], [torch.Size([5])], samples=2, seed=3)
    assert torch.equal(start[:2], fewer_start)
    assert torch.equal(noise[0][:2], fewer_noise[0])
    assert (start != 0).all()
    assert (start.abs() <= 1e-8).all()


ONE = torch.ones(1, 1, 28, 28)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lambdas": [-1.0]}, "zero or more"),
        ({"lambdas": [float("nan")]}, "finite"),
        ({"lambdas": []}, "one or more"),
        ({"lambdas": "papers"}, "'papers': must be 'paper'"),
        ({"mode": "sideways"}, "mode 'sideways': must be one of latent, output, damage"),
        ({"divergence": "k1"}, "divergence 'k1'"),
        ({"layers": [7]}, "layers"),
        ({"solver": "newton"}, "newton"),
        ({"solver": "cold", "waves": 3}, "waves: only the solver path"),
        ({"samples": -1}, "samples -1"),
        ({"chunk": 0}, "chunk 0: must be 1 or more"),
        ({"solver": "adam", "max_iterations": 0}, "max_iterations 0: must be 1 or more"),
        ({"radii": [-1.0]}, "^radii .*zero or more"),
        ({"radii": [1.0], "solver": "newton"}, "solver 'newton': must be one of path, cold, scipy, adam"),
        ({"source": 2 * ONE}, "source: pixels from 2 to 2 are outside"),
        ({"target": ONE * float("nan")}, "target: holds NaN"),
        ({"target": ONE.repeat(2, 1, 1, 1)}, "must both be"),
        ({"source": ONE[:0], "target": ONE[:0]}, "a pair at least"),
        ({"source": ONE.to(torch.uint8)}, "divide 8-bit images by 255"),
        ({"bounds": (1.0, 0.0)}, "the lower must be below"),
    ],
)
def test_bad_input_is_refused_in_one_line(hierarchy, changes, message):
    arguments = {"source": ONE, "target": 0 * ONE, "lambdas": [1.0], "max_iterations": 1, **changes}
    with pytest.raises(InputError, match=message) as caught:
        attack(hierarchy, **arguments)
    assert "\n" not in str(caught.value)


def test_noise_of_its_own_for_the_target_puts_a_floor_under_a_hierarchy(hierarchy, images):
    """At d = x_t − x common noise leaves nothing of Δ; with the target's own, what upper layers drew apart stays."""
    source, target = images[:2], images[2:]
    floor = {}
    for noise in ("same", "own"):
        setup = prepare(hierarchy, source, target, samples=3, target_noise=noise)
        floor[noise] = setup.objective((target - source).flatten(1), torch.arange(2))
    torch.testing.assert_close(floor["same"], torch.zeros(2).to(floor["same"]), atol=1e-9, rtol=0)
    assert (floor["own"] > 1e-6).all()
    first = prepare(hierarchy, source, target, samples=3, target_noise="own", layers="bottom")
    clean = first.objective((target - source).flatten(1), torch.arange(2))
    torch.testing.assert_close(clean, torch.zeros_like(clean), atol=1e-9, rtol=0)  # nothing is drawn below layer 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"target_noise": "mine"}, "must be same or own"),
        ({"target_noise": "own"}, "follows samples"),
        ({"target_noise": "own", "mode": "output"}, "latent attack"),
    ],
)
def test_noise_for_the_target_that_cannot_be_is_refused(hierarchy, images, settings, named):
    with pytest.raises(InputError, match=named):
        attack(hierarchy, images[:2], images[2:], lambdas=[1.0], **settings)


def test_inference_mode_is_named(hierarchy, images):
    with torch.inference_mode(), pytest.raises(InputError, match=r"torch.inference_mode\(\) turns off"):
        attack(hierarchy, images[:2], images[2:], lambdas=[1.0])


@pytest.mark.parametrize("divergence", ["skl", "kl", "w2", "l2-means", None])
def test_damage_does_not_end_where_it_begins(hierarchy, images, divergence):
    # At the source a divergence from its own posterior is least, and its gradient 0: a search from there is at its end.
    found = attack(hierarchy, images[:2], mode="damage", divergence=divergence, radii=[2.0], max_iterations=20)
    random = images[:2] + torch.nn.functional.normalize(torch.randn(2, 784), dim=1).view(2, 1, 28, 28) * 2.0
    anywhere = prepare(hierarchy, images[:2], mode="damage", divergence=divergence)
    d = (random - images[:2]).flatten(1).clamp(anywhere.lower, anywhere.upper)
    assert (-found.discrepancy[:, 0] > 2 * -anywhere.objective(d, torch.arange(2))).all()
    assert (found.distortion > 1.9).all()
