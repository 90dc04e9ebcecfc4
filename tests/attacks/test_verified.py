"""Models of others: whatever they do with their layers, what is attacked is the model, or an error says why not."""

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.utils import parametrizations, prune, spectral_norm

from seatbelt_vae.attacks import Cold, Continuation, Latent, Penalty, attack
from seatbelt_vae.attacks.divergences import kl
from seatbelt_vae.attacks.evaluation.copies import FewChannelConv2d, plain_copy
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.errors import InputError


class Foreign(nn.Module):
    """Something that encodes 8×8 images with `net`, made by a function, to four latents."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def encode(self, x: Tensor, noise: object = None) -> tuple[Normal, ...]:
        return head(self.net(x))

    def decode(self, z: Sequence[Tensor]) -> Independent:
        return Independent(Normal(z[0].mean(1)[:, None, None, None].expand(-1, 1, 8, 8), 1.0), 3)


def head(h: Tensor) -> tuple[Normal, ...]:
    return (Normal(h[:, :4], F.softplus(h[:, 4:]) + 0.1),)


def convolutions(first: nn.Module, *more: nn.Module) -> nn.Sequential:
    return nn.Sequential(first, *more, nn.Flatten(), nn.Linear(6 * 16, 8))


def conv() -> nn.Conv2d:
    return nn.Conv2d(1, 6, 4, 2, 1)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(32, 32), nn.ReLU(inplace=True), nn.Linear(32, 32))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.block(x)  # the first activation changes x, too
        return out


class Skipping(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        h = self[0](x)
        out: Tensor = self[1](h) + h
        return out


class Squared(nn.ReLU):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).square()


class LooksAtTypes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([conv(), nn.ReLU(), nn.Flatten(), nn.Linear(96, 8)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
            if type(layer) is nn.Conv2d:
                x = 2 * x
        return x


class LooksAtWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = conv(), convolutions(nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.first(x.to(self.first.weight.dtype)))
        return out


def hooked_output() -> nn.Module:
    first = conv()
    first.register_forward_hook(lambda module, given, out: out.tanh() * 3)
    return convolutions(first, nn.ReLU())


def hooked_activation() -> nn.Module:
    activation = nn.ReLU()
    activation.register_forward_hook(lambda module, given, out: 2 * out)
    return convolutions(conv(), activation)


def computed_tensor() -> nn.Module:
    net = convolutions(conv(), nn.ReLU())
    net[0].seen = net[0](torch.rand(1, 1, 8, 8))  # what deepcopy alone refuses
    net[1].all_seen = {"last": [net[0].seen.sum()]}
    net[1].register_buffer("mean", net[0].seen.mean())
    return net


NETS = {
    "in-place residual block": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 32), Residual(), nn.Linear(32, 8)),
    "subclass of Sequential": lambda: convolutions(Skipping(conv(), nn.BatchNorm2d(6)), nn.ReLU()),
    "subclass of ReLU": lambda: convolutions(conv(), Squared()),
    "looks at types": LooksAtTypes,
    "looks at weights": LooksAtWeights,
    "hook on a convolution": hooked_output,
    "hook on an activation": hooked_activation,
    "old spectral norm": lambda: convolutions(spectral_norm(conv()), nn.BatchNorm2d(6), nn.ReLU()),
    "spectral norm": lambda: convolutions(parametrizations.spectral_norm(conv()), nn.BatchNorm2d(6), nn.ReLU()),
    "weight norm": lambda: convolutions(parametrizations.weight_norm(conv()), nn.BatchNorm2d(6), nn.ReLU()),
    "pruned": lambda: convolutions(prune.l1_unstructured(conv(), "weight", 0.5), nn.ReLU()),
    "keeps a computed tensor": computed_tensor,
}


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("solver", [Continuation(40), Cold(40)])
@pytest.mark.parametrize("name", NETS)
def test_what_is_reported_is_what_the_model_says(name: str, solver: Continuation | Cold, pictures: Tensor) -> None:
    torch.manual_seed(0)
    model = Foreign(NETS[name]()).eval()
    source, target = pictures[:2], pictures[2:]
    found = attack(model, source, target, Latent(), Penalty([0.0, 0.01, 0.1]), solver)
    with torch.no_grad():
        theirs = model.encode(target.repeat_interleave(3, 0))[0]
        true = kl(model.encode(found.adversarial.flatten(0, 1))[0], theirs).view(2, 3)
    torch.testing.assert_close(found.discrepancy.float(), true, rtol=1e-3, atol=1e-5)


def test_what_can_be_made_fast_is(pictures: Tensor) -> None:
    model = Foreign(convolutions(conv(), nn.BatchNorm2d(6), nn.ReLU(inplace=True)))
    problem = prepare(model, pictures, pictures.flip(0)).problem
    kinds = {type(module) for module in problem.fun.model.modules()}
    assert FewChannelConv2d in kinds
    assert nn.BatchNorm2d not in kinds
    assert problem.smoothed is not None


def test_what_cannot_be_made_fast_is_a_plain_copy(pictures: Tensor) -> None:
    model = Foreign(LooksAtTypes())
    problem = prepare(model, pictures, pictures.flip(0)).problem
    assert FewChannelConv2d not in {type(module) for module in problem.fun.model.modules()}
    assert problem.fun.model is not model
    assert problem.smoothed is not None


class Autocast(Foreign):
    """Its layers work in half precision, and the gradient of a rebuilt convolution does not."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[Normal, ...]:
        with torch.autocast("cpu", torch.bfloat16):
            h = self.net(x)
        return head(h.float())


def test_a_copy_whose_gradients_differ_is_a_plain_copy(pictures: Tensor) -> None:
    model = Autocast(convolutions(conv(), nn.ReLU()))
    problem = prepare(model, pictures, pictures.flip(0)).problem
    assert FewChannelConv2d not in {type(module) for module in problem.fun.model.modules()}
    found = attack(model, pictures[:2], pictures[2:], Latent(), Penalty([0.01, 0.1]), Cold(10))
    assert found.objective.isfinite().all()


def test_a_model_in_half_precision_is_named(pictures: Tensor) -> None:
    model = Foreign(convolutions(conv())).half()
    with pytest.raises(InputError, match=r"^model: is in float16; attacks need float32 or float64: model.float\(\)$"):
        attack(model, pictures[:2], pictures[2:])


class NoModule:
    """A model that no copy can be made of: its network is out of reach."""

    def __init__(self, net: nn.Module) -> None:
        self.encode, self.decode = Foreign(net).encode, Foreign(net).decode


def test_a_random_model_is_refused(pictures: Tensor) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 8))
    with pytest.raises(InputError, match=r"model: says something else when it is asked again.*model.eval\(\)"):
        attack(NoModule(net.train()), pictures[:2], pictures[2:], Latent(), Penalty([1.0]))
    attack(NoModule(net.eval()), pictures[:2], pictures[2:], Latent(), Penalty([1.0]), Continuation(2))


def test_a_model_that_mixes_the_images_of_a_batch_is_refused(pictures: Tensor) -> None:
    net = convolutions(conv(), nn.BatchNorm2d(6), nn.Tanh())
    with pytest.raises(InputError, match=r"model: what it says of an image depends on the others.*model.eval\(\)"):
        attack(NoModule(net.train()), pictures[:2], pictures[2:], Latent(), Penalty([1.0]))
    attack(NoModule(net.eval()), pictures[:2], pictures[2:], Latent(), Penalty([1.0]), Continuation(2))


def test_what_cannot_be_copied_is_said(pictures: Tensor) -> None:
    model = Foreign(convolutions(conv()))
    model.rows = (row for row in ())  # type: ignore[assignment]
    with pytest.raises(InputError, match=r"model: cannot be copied .*generator"):
        plain_copy(model)


def test_one_distribution_is_not_a_tuple_of_them(pictures: Tensor) -> None:
    class One(Foreign):
        def encode(self, x: Tensor, noise: object = None) -> Normal:  # type: ignore[override]
            return super().encode(x)[0]

    with pytest.raises(InputError, match="encode: returns one distribution; must return a tuple"):
        attack(One(convolutions(conv())), pictures[:2], pictures[2:], Latent(), Penalty([1.0]))
