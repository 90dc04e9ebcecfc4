"""FactorVAE's discriminator: a density ratio with a closed form, and the shuffling that it needs."""

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding
from seatbelt_vae.objectives import FactorVAE
from seatbelt_vae.objectives.factor_vae import Discriminator, permute_dimensions
from tests.oracles import gaussian_total_correlation

COVARIANCE = torch.tensor([[1.0, 0.8, 0.0], [0.8, 1.5, 0.3], [0.0, 0.3, 0.7]], dtype=torch.float64)


def trained(covariance: Tensor, steps: int = 400, batch: int = 1024) -> Discriminator:
    torch.manual_seed(0)
    discriminator = Discriminator(len(covariance), width=32)
    data = MultivariateNormal(torch.zeros(len(covariance)), covariance.float())
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=5e-3, betas=discriminator.betas)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        discriminator.loss(data.sample((batch,))).backward()
        optimiser.step()
        schedule.step()
    return discriminator.eval()


def test_the_density_ratio_gives_the_closed_form_total_correlation() -> None:
    truth = gaussian_total_correlation(COVARIANCE)
    assert truth > 0.3
    z = MultivariateNormal(torch.zeros(3), COVARIANCE.float()).sample((50_000,))
    logits = trained(COVARIANCE)(z).detach()
    assert float(logits.mean()) == pytest.approx(truth, abs=0.05)
    # And not on average alone: log q(z) - Σ_d log q_d(z_d) at the samples.
    marginals = Normal(0.0, COVARIANCE.diagonal().sqrt().float()).log_prob(z).sum(-1)
    ratio = MultivariateNormal(torch.zeros(3), COVARIANCE.float()).log_prob(z) - marginals
    assert torch.corrcoef(torch.stack([logits, ratio]))[0, 1] > 0.95


def test_independent_dimensions_give_none() -> None:
    z = torch.randn(50_000, 3, generator=torch.Generator().manual_seed(1))
    assert abs(trained(torch.eye(3), steps=150)(z).detach().mean()) < 0.03


def test_permuting_keeps_every_marginal_and_breaks_the_rest() -> None:
    generator = torch.Generator().manual_seed(0)
    data = MultivariateNormal(torch.zeros(3), COVARIANCE.float())
    torch.manual_seed(0)
    z = data.sample((20_000,))
    permuted = permute_dimensions(z, generator)
    assert torch.equal(permuted.sort(dim=0).values, z.sort(dim=0).values)
    assert torch.corrcoef(permuted.T).fill_diagonal_(0).abs().max() < 0.03
    assert torch.corrcoef(z.T)[0, 1] > 0.6


def test_permuting_is_a_function_of_the_generator() -> None:
    z = torch.randn(50, 3)
    first, second = [permute_dimensions(z, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(first, second)
    assert not torch.equal(first, permute_dimensions(z, torch.Generator().manual_seed(4)))


def test_every_dimension_is_shuffled_on_its_own() -> None:
    rows = torch.arange(1000.0)[:, None].expand(1000, 4)
    permuted = permute_dimensions(rows, torch.Generator().manual_seed(0))
    assert (permuted[:, 0] == permuted[:, 1]).float().mean() < 0.02
    assert (permuted == rows).float().mean() < 0.02


def test_the_cross_entropy_by_hand() -> None:
    """One half of the batch real, the other half shuffled: -½ [mean log σ(D(z)) + mean log(1 - σ(D(z')))]."""
    discriminator = Discriminator(3, width=8).double()
    z = torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).double()
    shuffled = permute_dimensions(z[5:], torch.Generator().manual_seed(2))
    real, fake = discriminator(z[:5]).sigmoid(), discriminator(shuffled).sigmoid()
    by_hand = -0.5 * (real.log().mean() + (1 - fake).log().mean())
    assert torch.allclose(discriminator.loss(z, torch.Generator().manual_seed(2)), by_hand, atol=1e-12)


def test_gradients_stay_on_their_side() -> None:
    """The model's loss moves no weight of the discriminator, the discriminator's loss no latent."""
    objective = FactorVAE.for_latent_size(3, gamma=4.0, width=8)
    z = torch.randn(6, 3, requires_grad=True)
    q = Normal(z, torch.ones_like(z))
    likelihood = Normal(torch.zeros(6), 1.0)
    encoding = Encoding((q,), (z,), (Normal(torch.zeros_like(z), 1.0),), likelihood)
    objective(encoding, torch.zeros(6), 10).loss.backward()
    assert all(weight.grad is None for weight in objective.discriminator.parameters())
    assert z.grad is not None
    assert z.grad.abs().min() > 0
    z.grad = None
    objective.discriminator.loss(z).backward()
    assert z.grad is None
    assert all(weight.grad is not None for weight in objective.discriminator.parameters())


def test_the_papers_discriminator() -> None:
    """Kim & Mnih, appendix A: six linear layers, 1000 units, leaky ReLU of slope 0.2, Adam 1e-4 (0.5, 0.9)."""
    discriminator = Discriminator(10)
    linear = [layer for layer in discriminator.layers if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(10, 1000), *[(1000, 1000)] * 4, (1000, 1)]
    leaky = [layer for layer in discriminator.layers if isinstance(layer, torch.nn.LeakyReLU)]
    assert [layer.negative_slope for layer in leaky] == [0.2] * 5
    assert (discriminator.learning_rate, discriminator.betas) == (1e-4, (0.5, 0.9))


def test_refuses_a_batch_that_cannot_be_halved_and_latents_of_another_size() -> None:
    objective = FactorVAE.for_latent_size(3, width=8)
    with pytest.raises(InputError, match="at least 4 examples"):
        objective.discriminator.loss(torch.zeros(3, 3))
    z = torch.zeros(2, 4)
    encoding = Encoding((Normal(z, 1.0),), (z,), (Normal(z, 1.0),), Normal(torch.zeros(2), 1.0))
    with pytest.raises(InputError, match="takes 3 latents, the top layer has 4"):
        objective(encoding, torch.zeros(2), 10)


def test_it_stays_the_same_discriminator_at_every_step() -> None:
    objective = FactorVAE.for_latent_size(3, width=8)
    assert objective.at(7).adversary is objective.discriminator
