import pytest
import torch
from torch import nn

from seatbelt_vae.attacks.evaluation.copies import FewChannelConv2d, fast_copy, fold_batch_norms
from seatbelt_vae.models import seatbelt_vae, vae


def value_and_gradient(module, x):
    x = x.clone().requires_grad_()
    value = module(x)
    weights = torch.linspace(-1, 1, value.numel(), dtype=value.dtype).view_as(value)
    return value, torch.autograd.grad((weights * value).sum(), x)[0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("side", "kernel", "stride", "padding", "dilation"), [
    (64, 4, 2, 1, 1), (29, 4, 2, 1, 1), (16, 3, 1, 0, 1), (17, 3, 2, 2, 2),
])  # fmt: skip
def test_input_gradient_by_gemm_and_fold_is_that_of_autograd(channels, side, kernel, stride, padding, dilation):
    torch.manual_seed(0)
    conv = nn.Conv2d(channels, 8, kernel, stride, padding, dilation).double().requires_grad_(False)
    x = torch.rand(3, channels, side, side, dtype=torch.float64)
    for plain, fast in zip(value_and_gradient(conv, x), value_and_gradient(FewChannelConv2d(conv), x), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)


def lived_in(model):
    """Batch statistics and gains as after training: no batch norm is the identity."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return model.double().eval()


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("side", [28, 32])
def test_copy_encodes_and_decodes_as_the_model_does(colours, side):
    torch.manual_seed(0)
    model = lived_in(seatbelt_vae((colours, side, side), latent_sizes=(6, 4), hidden_sizes=(8,)))
    fast, x = fast_copy(model), torch.rand(3, colours, side, side, dtype=torch.float64)
    for layer in range(2):
        plain, copy = (value_and_gradient(lambda y, m=m, i=layer: m.encode(y)[i].loc, x) for m in (model, fast))
        torch.testing.assert_close(copy[0], plain[0])
        torch.testing.assert_close(copy[1], plain[1])
    z = [torch.randn(3, size, dtype=torch.float64) for size in model.latent_sizes]
    torch.testing.assert_close(fast.decode(z).mean, model.decode(z).mean)


def test_copy_has_no_batch_norm_left_in_its_convolutions_and_shares_no_weight():
    model = vae((1, 32, 32)).eval()
    fast = fast_copy(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules())
    assert any(isinstance(module, FewChannelConv2d) for module in fast.modules())
    shared = {p.data_ptr() for p in model.parameters()} & {p.data_ptr() for p in fast.parameters()}
    assert not shared
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def test_a_batch_norm_without_statistics_stays():
    layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, track_running_stats=False)).eval()
    fold_batch_norms(layers)
    assert isinstance(layers[1], nn.BatchNorm2d)


def test_what_is_no_module_is_returned_as_it_is():
    model = object()
    assert fast_copy(model) is model


def test_networks_of_others_keep_their_memory_format():
    class Foreign(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU())

    assert fast_copy(Foreign()).features[0].weight.is_contiguous()
    own = [m for m in fast_copy(vae((1, 32, 32))).modules() if isinstance(m, nn.Conv2d) and m.in_channels > 4]
    assert all(conv.weight.is_contiguous(memory_format=torch.channels_last) for conv in own)
