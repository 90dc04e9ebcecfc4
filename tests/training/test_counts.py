"""What a step of training asks of a device is counted, not timed, so that waits and operators cannot creep back."""

from collections.abc import Callable

import pytest
import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.objectives import (
    AVAE,
    ELBO,
    HFVAE,
    Adversarial,
    BetaTC,
    BetaVAE,
    Denoising,
    FactorVAE,
    HoldMSE,
    Objective,
    SmoothEncoder,
)
from seatbelt_vae.training import Settings, Update
from tests.counting import Counter

OBJECTIVES: dict[str, tuple[Objective, int]] = {
    "elbo": (ELBO(free_bits=0.1), 420),
    "beta-vae": (BetaVAE(), 410),
    "beta-tc": (BetaTC(estimator="mss"), 610),
    "hfvae": (HFVAE(groups=((0,), (1,))), 650),
    "factor-vae": (FactorVAE.for_latent_size(2, width=4), 790),
    "adversarial": (Adversarial(ELBO(), radius=1.0, inner_steps=2), 1000),
    "targeted": (Adversarial(ELBO(), radius=1.0, inner_steps=2, target="targeted"), 1020),
    "smooth-encoder": (SmoothEncoder(ELBO(), radius=1.0, inner_steps=2), 1190),
    "avae": (AVAE(ELBO()), 610),
    "denoising": (Denoising(ELBO(), radius=1.0), 510),
    "hold-mse": (HoldMSE(ELBO(), mse=0.01), 590),
}
"""Each with the most operators that a step may take, a twentieth above today's."""
ADAM_OF_THE_DISCRIMINATOR = 12
"""It counts its steps on the CPU, once for each of its weights: numbers that are read and not waited for."""


@pytest.mark.parametrize(("objective", "most"), OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_step_waits_once_and_stays_lean(
    images: ImageDataset,
    make_model: Callable[..., torch.nn.Module],
    monkeypatch: pytest.MonkeyPatch,
    objective: Objective,
    most: int,
) -> None:
    """The wait is for whether loss and gradient are finite. Adam is the fused one, as on an accelerator."""
    settings = Settings(steps=4, batch_size=8, precision="bfloat16")
    update = Update(make_model().train(), images, objective, settings)
    update(0)
    x = update._images(update.schedule.batch(1))  # what reads images lives on the CPU
    monkeypatch.setattr(update, "_images", lambda indices: x)
    with Counter(monkeypatch) as counter:
        update(1)
    assert counter.waits == 1 + ADAM_OF_THE_DISCRIMINATOR * isinstance(objective, FactorVAE)
    assert counter.operators <= most
