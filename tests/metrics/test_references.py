"""The reference lines against closed forms, a one-dimensional search and a small attack."""

import pytest
import torch
from scipy import optimize

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.auddc import auddc
from seatbelt_vae.metrics.f50 import f50
from seatbelt_vae.metrics.references import attack_pca, blend, blend_path, fit_pca, identity, pca_success
from seatbelt_vae.metrics.robustness import attack_success, relative_distortion

SHAPE = (1, 4, 5)


def images(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    spread = torch.logspace(0, -1.5, 20, dtype=torch.float64)
    return (torch.randn(count, 20, generator=generator, dtype=torch.float64) * spread).view(count, *SHAPE)


X = images(200)
PCA = fit_pca(X, mse=0.008)
SOURCE, TARGET = images(6, seed=1), images(6, seed=2)
RADII = torch.tensor([0.5, 1.0], dtype=torch.float64)


def success_of(d):
    return attack_success(PCA.reconstruct(SOURCE + d), PCA.reconstruct(SOURCE), PCA.reconstruct(TARGET), TARGET)


def test_pca_is_the_smallest_that_reaches_the_error():
    centred = (X - X.mean(0)).flatten(1)
    singular = torch.linalg.svdvals(centred)
    rest = singular.square().sum() - singular.square().cumsum(0)
    K = len(PCA.components)
    assert rest[K - 1] / X.numel() <= 0.008 < rest[K - 2] / X.numel()
    assert 1 < K < 20
    torch.testing.assert_close(PCA.components @ PCA.components.T, torch.eye(K, dtype=torch.float64))
    error = (PCA.reconstruct(X) - X).square().mean()
    assert error.item() == pytest.approx(PCA.mse) == pytest.approx(float(rest[K - 1]) / X.numel())
    torch.testing.assert_close(fit_pca(X, mse=0.008).components, PCA.components, rtol=0, atol=0)


def test_more_components_than_the_first_try():
    x = torch.randn(300, 1, 10, 20, generator=torch.Generator().manual_seed(0))
    pca = fit_pca(x, mse=0.05)
    assert len(pca.components) > 128
    assert (pca.reconstruct(x) - x).square().mean() <= 0.05
    assert fit_pca(x[:20], mse=1e-12).mse == pytest.approx(0, abs=1e-6)


def test_the_closed_form_is_the_success_of_its_direction():
    u = PCA.project(TARGET - SOURCE)
    norm = u.flatten(1).norm(dim=1)
    distortion = norm[:, None] * torch.linspace(0, 1, 7, dtype=torch.float64)
    closed = pca_success(PCA, SOURCE, TARGET, distortion)
    for k in range(7):
        d = u * (distortion[:, k] / norm).view(-1, 1, 1, 1)
        torch.testing.assert_close(success_of(d), closed[:, k])


def test_an_attack_by_gradients_finds_no_better():
    """Maximise success inside a ball by L-BFGS, from a random direction, for each pair."""
    generator = torch.Generator().manual_seed(3)
    epsilon = 0.4 * (TARGET - SOURCE).flatten(1).norm(dim=1)
    free = torch.randn(6, *SHAPE, generator=generator, dtype=torch.float64).requires_grad_()

    def inside():
        return free * (epsilon / free.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)

    def loss():
        optimiser.zero_grad()
        value = -success_of(inside()).sum()
        value.backward()
        return value

    optimiser = torch.optim.LBFGS([free], max_iter=300, line_search_fn="strong_wolfe", tolerance_grad=1e-10)
    optimiser.step(loss)
    closed = pca_success(PCA, SOURCE, TARGET, epsilon[:, None])[:, 0]
    assert (closed < 1).all()
    torch.testing.assert_close(success_of(inside()).detach(), closed, atol=1e-5, rtol=0)


def test_f50_and_auddc_against_a_search():
    found = attack_pca(PCA, SOURCE, TARGET, RADII)
    apart = (TARGET - SOURCE).flatten(1).norm(dim=1)
    for pair in range(6):

        def above(share, pair=pair):
            distortion = torch.full((6, 1), share, dtype=torch.float64) * apart[:, None]
            return float(pca_success(PCA, SOURCE, TARGET, distortion)[pair, 0]) - 0.5

        assert found.f50[pair].item() == pytest.approx(optimize.brentq(above, 0, 1))
    shares = torch.linspace(0, 1, 4001, dtype=torch.float64).expand(6, -1)
    success = pca_success(PCA, SOURCE, TARGET, shares * apart[:, None])
    torch.testing.assert_close(found.auddc, auddc(shares, success), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.f50, f50(shares, success), atol=1e-6, rtol=0)
    assert found.amplification.tolist() == [[1.0, 1.0]] * 6


def test_all_components_are_the_identity():
    whole = fit_pca(X, mse=1e-12)
    found, perfect = attack_pca(whole, SOURCE, TARGET, RADII), identity(6, RADII)
    torch.testing.assert_close(found.f50, perfect.f50, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.auddc, perfect.auddc, atol=1e-5, rtol=0)
    assert perfect.amplification.tolist() == [[1.0, 1.0]] * 6


def test_a_pair_that_pca_does_not_tell_apart_is_undefined():
    hidden = images(1)
    hidden = hidden - PCA.project(hidden)
    found = attack_pca(PCA, SOURCE[:1], SOURCE[:1] + hidden, RADII)
    assert found.f50.isnan().all()
    assert found.auddc.isnan().all()
    flat = SOURCE[:1, None].expand(-1, 5, -1, -1, -1)  # a model that makes the same of all images
    assert blend(flat, SOURCE[:1], TARGET[:1], RADII).auddc.isnan().all()


def test_blending_through_the_identity():
    path = blend_path(SOURCE, TARGET, steps=11)
    torch.testing.assert_close(path[:, 0], SOURCE)
    torch.testing.assert_close(path[:, -1], TARGET)
    torch.testing.assert_close(path[:, 3], 0.7 * SOURCE + 0.3 * TARGET)
    found = blend(path, SOURCE, TARGET, RADII)
    torch.testing.assert_close(found.f50, torch.full((6,), 0.5, dtype=torch.float64))
    torch.testing.assert_close(found.auddc, torch.full((6,), 0.5, dtype=torch.float64))
    torch.testing.assert_close(found.amplification, torch.ones(6, 2, dtype=torch.float64))


def test_blending_is_never_better_than_the_attack_on_pca():
    path = blend_path(SOURCE, TARGET, steps=101)
    made = PCA.reconstruct(path.flatten(0, 1)).view_as(path)
    blended = blend(made, SOURCE, TARGET, RADII)
    attacked = attack_pca(PCA, SOURCE, TARGET, RADII)
    assert (blended.f50 >= attacked.f50).all()
    assert (blended.auddc >= attacked.auddc - 1e-4).all()
    shares = relative_distortion(torch.ones(6, dtype=torch.float64), SOURCE, TARGET)
    u = PCA.project(TARGET - SOURCE).flatten(1).norm(dim=1)
    torch.testing.assert_close(blended.amplification[:, 0], u * shares)  # a straight line, seen by the projector


def test_refusals():
    with pytest.raises(InputError, match="at least 2"):
        blend_path(SOURCE, TARGET, steps=1)
    with pytest.raises(InputError, match="one shape"):
        blend_path(SOURCE, TARGET[:1], steps=3)
    for count, mse in ((1, 0.1), (3, 0.0)):
        with pytest.raises(InputError, match="expected 2 at least"):
            fit_pca(images(count), mse)
