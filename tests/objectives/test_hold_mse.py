"""The multiplier: by hand, and held where it is told to."""

from typing import Any

import pytest
import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import vae
from seatbelt_vae.objectives import ELBO, Adversarial, Batch, BetaVAE, FactorVAE, HoldMSE
from seatbelt_vae.objectives.hold_mse import Multiplier
from seatbelt_vae.training import train
from tests.objectives.battery import built, images

SHAPE = (1, 28, 28)


def test_the_multiplier_by_hand() -> None:
    """ν ← max(0, ν + η c) along a sequence of excesses."""
    multiplier = Multiplier(rate=0.5)
    optimiser, nu = multiplier.optimiser(), 0.0
    for excess in (1.0, 2.0, -0.4, -10.0, 0.7, -1.0):
        optimiser.zero_grad()
        multiplier.lagrangian(torch.tensor(excess)).backward()
        optimiser.step()
        nu = max(0.0, nu + 0.5 * min(1.0, excess))
        assert float(multiplier.nu) == pytest.approx(nu)


def test_the_excess_is_that_of_clean_images_in_evaluation_mode() -> None:
    model, x = built("seatbelt", "bernoulli", SHAPE).train(), images("bernoulli", 8, SHAPE)
    objective = HoldMSE(Adversarial(ELBO(), radius=2.0), mse=0.2, part=0.5)
    encoding = objective.encode(model, Batch.of(model, x))
    clean = model.eval().reconstruct(x[:4])
    expected = (clean - x[:4]).square().flatten(1).mean(1) / 0.2 - 1
    torch.testing.assert_close(encoding.terms["mse_excess"], expected)


def test_the_loss_holds_the_multiplier_fixed() -> None:
    model, x = built("vae", "bernoulli", SHAPE).train(), images("bernoulli", 8, SHAPE)
    objective = HoldMSE(ELBO(), mse=0.2)
    assert objective.multiplier is not None
    with torch.no_grad():
        objective.multiplier.value.fill_(7.0)
    encoding = objective.encode(model, Batch.of(model, x))
    terms = objective(encoding, x, 100)
    plain = ELBO()(encoding, x, 100).loss
    torch.testing.assert_close(terms.loss, plain + 7 * encoding.terms["mse_excess"].mean())
    terms.loss.backward()
    assert objective.multiplier.value.grad is None


def test_it_holds_the_error_of_a_model_that_would_let_it_grow() -> None:
    """β = 100 gives up on the images; held, the error comes near τ and the multiplier is at work."""
    x = torch.zeros(64, 1, 8, 8)
    x[:32, :, :4] = 1.0
    data = ImageDataset((255 * x).to(torch.uint8))

    def trained(objective: Any) -> float:
        torch.manual_seed(0)
        encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.ReLU())
        decoder = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.Unflatten(1, (1, 8, 8)))
        model = vae((1, 8, 8), latent_sizes=(2,), network=(encoder, decoder))
        train(model, data, objective, steps=600, batch_size=64, lr=1e-2, device="cpu")
        return float((model.reconstruct(data[:]) - data[:]).square().mean().detach())

    free = trained(BetaVAE(beta=100.0))
    held = HoldMSE(BetaVAE(beta=100.0), mse=0.05, rate=2.0, part=1.0)
    assert free > 0.12
    assert trained(held) == pytest.approx(0.05, rel=0.2)
    assert float(held.adversary.nu) > 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HoldMSE(ELBO(), mse=0.0), "mse 0.0: must be a positive"),
        (lambda: HoldMSE(ELBO(), mse=0.1, rate=-1.0), "rate -1.0: must be"),
        (lambda: HoldMSE(ELBO(), mse=0.1, part=2.0), "part 2.0: must be"),
        (lambda: HoldMSE(FactorVAE.for_latent_size(2, width=4), mse=0.1), "FactorVAE has an adversary of its own"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
