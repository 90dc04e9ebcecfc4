"""The forms in which modules come: compiled, traced, scripted, exported, averaged, parallel, in half precision."""

import copy
import functools

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

import seatbelt_vae as sb
from seatbelt_vae.adapters.function import Function
from seatbelt_vae.attacks import Cold, Latent, Penalty, attack
from seatbelt_vae.errors import InputError

SHAPE = (1, 6, 6)
ONE = torch.rand(1, *SHAPE, generator=torch.Generator().manual_seed(0))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 6))

    def forward(self, x):
        h = self.net(x)
        return h[:, :3], h[:, 3:]


def exported(module, rows=None):
    if rows is None:
        return torch.export.export(module, (ONE,)).module()
    dynamic = ({0: torch.export.Dim("rows", min=1, max=64)},)
    return torch.export.export(module, (ONE.expand(rows, *SHAPE),), dynamic_shapes=dynamic).module()


FORMS = {
    "compiled": lambda module: torch.compile(module, backend="eager"),
    "compiled method": lambda module: torch.compile(module.forward, backend="eager"),
    "parallel": nn.DataParallel,
    "averaged": AveragedModel,
    "partial": lambda module: functools.partial(module.forward),
    "traced": lambda module: torch.jit.trace(module, ONE.expand(2, *SHAPE)),
    "scripted": torch.jit.script,
    "scripted method": lambda module: torch.jit.script(module).forward,
    "exported": lambda module: exported(module, rows=3),
    "exported for one image": exported,
    "behind a function": lambda module: lambda x: module(x),
}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Encoder().eval()


def decode(z):
    return z[:, :1, None, None].expand(-1, *SHAPE)


def attacked(encode, images):
    model = sb.wrap(encode, decode, image_shape=SHAPE, posterior="log-variance")
    return model, attack(model, images[:2], images[2:], Latent(), Penalty([0.0, 0.1]), Cold(10))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_attacked_like_the_module_itself(encoder, images, form):
    _, plain = attacked(encoder, images)
    _, found = attacked(FORMS[form](copy.deepcopy(encoder)), images)
    torch.testing.assert_close(found.objective, plain.objective, rtol=1e-4, atol=1e-6)


def test_a_graph_for_one_image_takes_them_one_by_one(encoder, images):
    model = sb.wrap(exported(encoder), decode, image_shape=SHAPE, posterior="log-variance")
    assert "encode takes one image at a time" in model.assumptions
    torch.testing.assert_close(model.encode(images)[0].loc, encoder(images)[0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_measured_in_a_copy_of_full(encoder, images, dtype):
    half = copy.deepcopy(encoder).to(dtype)
    model, found = attacked(half, images)
    name = str(dtype).removeprefix("torch.")
    assert f"the weights are in {name}: a copy of them in float32 is measured" in model.assumptions
    assert next(half.parameters()).dtype == dtype
    _, full = attacked(copy.deepcopy(half).float(), images)
    assert torch.equal(found.objective, full.objective)


def test_autocast_inside_is_attacked_as_it_is_and_said(encoder, images):
    def encode(x):
        with torch.autocast("cpu", torch.bfloat16):
            return encoder(x)

    model, found = attacked(encode, images)
    assert any("bfloat16" in sentence for sentence in model.assumptions)
    assert found.objective.isfinite().all()
    assert found.objective.dtype == torch.float32 or found.objective.dtype == torch.float64


def test_the_module_is_known_behind_its_methods_only(encoder):
    assert Function("encode", encoder).seen
    assert Function("encode", encoder.forward).seen
    assert not Function("encode", lambda x: encoder(x)).seen


def test_a_quantised_module_has_no_gradient(images):
    rounded = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    with pytest.raises(InputError, match=r"encode: no gradient reaches the image.*quantised"):
        attacked(lambda x: (rounded(x.detach().mul(15).round().div(15)),) * 2, images)
