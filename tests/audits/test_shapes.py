"""Volumes and signals are audited as images are: beside PCA, which is the model itself here, and from JSON and back."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

import seatbelt_vae as sb
from seatbelt_vae.audits import Audit
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import PCA, fit_pca
from seatbelt_vae.report.audit import panel

SHAPES = [(1, 16, 16, 16), (1, 256)]


def smooth(shape: tuple[int, ...]) -> Tensor:
    """Waves of three kinds along the last side, (40, *shape), away from the bounds."""
    weight = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    place = torch.arange(shape[-1]) / shape[-1]
    waves = torch.stack([torch.sin(6.28 * turns * place) for turns in (1, 2, 3)])
    wave = 0.5 + 0.2 * weight @ waves
    return wave.view(40, *[1] * (len(shape) - 1), shape[-1]).expand(40, *shape).contiguous()


def as_model(pca: PCA, shape: tuple[int, ...]) -> sb.adapters.Wrapped:
    encode = lambda x: (x - pca.mean).flatten(1) @ pca.components.T  # noqa: E731
    decode = lambda z: (z @ pca.components).unflatten(1, shape) + pca.mean  # noqa: E731
    return sb.wrap(encode, decode, image_shape=shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pca_is_as_robust_as_the_closed_form_says(shape: tuple[int, ...], tmp_path: Path) -> None:
    images = smooth(shape)
    model = as_model(fit_pca(images, mse=1e-3), shape)
    found = sb.audit(model, images, suite="smoke", pairs=2)
    assert found.record.probe.image_shape == shape
    assert found.raised == []
    assert found.tensors["worst"].shape == (2, 4, *shape)
    closed = found.record.references["PCA"]["f50"]
    assert closed is not None
    assert found.record.measures["f50"].value == pytest.approx(closed, rel=0.02)
    assert found.record.measures["amplification"].value == pytest.approx(1.0, abs=1e-3)
    assert found.record.references["identity"]["f50"] == 0.5
    found.save(tmp_path)
    assert Audit.load(tmp_path).record == found.record
    with pytest.raises(InputError, match="are no pictures"):
        panel(found)
