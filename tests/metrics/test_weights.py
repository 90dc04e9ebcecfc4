import math
from types import SimpleNamespace

import pytest
from torch import nn

from seatbelt_vae.metrics.weights import weight_norms
from seatbelt_vae.models import seatbelt_vae


def test_norm_of_a_real_model_is_that_of_its_state():
    model = seatbelt_vae((1, 32, 32), latent_sizes=(4, 2), network="conv")
    sums = {"encoder": 0.0, "decoder": 0.0}
    for name, value in model.state_dict().items():
        if name.endswith("weight") and value.dim() > 1:  # batch normalisation has gains on both sides
            side = "encoder" if name.startswith("posterior.") else "decoder"
            sums[side] += float(value.double().pow(2).sum())
    norms = weight_norms(model)
    for side in ("encoder", "decoder"):
        assert getattr(norms, side) == pytest.approx(math.sqrt(sums[side]))


def test_a_shared_weight_counts_once():
    layer = nn.Linear(2, 2)
    model = SimpleNamespace(posterior=nn.Sequential(layer, layer), generative=nn.Identity(), likelihood=layer)
    norms = weight_norms(model)
    assert norms.encoder == norms.decoder == pytest.approx(layer.weight.norm().item())
