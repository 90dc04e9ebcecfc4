import math

import pytest
import torch

from seatbelt_vae.metrics.weights import WeightNorms, weight_norms
from seatbelt_vae.models import seatbelt_vae


def test_norm_of_a_real_model_is_that_of_its_state():
    model = seatbelt_vae((1, 32, 32), latent_sizes=(4, 2), network="conv")
    sums, gains = {"encoder": 0.0, "decoder": 0.0}, {"encoder": 0.0, "decoder": 0.0}
    for name, value in model.state_dict().items():
        if name.endswith("weight"):
            side = "encoder" if name.startswith("posterior.") else "decoder"
            (sums if value.dim() > 1 else gains)[side] += float(value.double().pow(2).sum())
    assert min(gains.values()) > 0  # there is batch normalisation on both sides
    norms, with_gains = weight_norms(model), weight_norms(model, gains=True)
    for side in ("encoder", "decoder"):
        assert getattr(norms, side) == pytest.approx(math.sqrt(sums[side]))
        assert getattr(with_gains, side) == pytest.approx(math.sqrt(sums[side] + gains[side]))


def test_relative_change():
    model = seatbelt_vae((1, 32, 32), latent_sizes=(4,), network="mlp")
    before = weight_norms(model)
    with torch.no_grad():
        for parameter in model.posterior.parameters():
            parameter.mul_(1.195)
    change = weight_norms(model).relative_change(since=before)
    assert change.encoder == pytest.approx(0.195)
    assert change.decoder == 0.0
    assert math.isnan(before.relative_change(since=WeightNorms(0.0, 1.0)).encoder)
