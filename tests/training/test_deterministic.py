"""Deterministic training: torch's own switch, on for its time and then as it was; one line where it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import RunError
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.objectives import ELBO
from seatbelt_vae.training import train
from seatbelt_vae.training.deterministic import deterministic_algorithms


class Watching(nn.Module):
    """A decoder that notes torch's switch, and writes its maps by an operator of one's choice."""

    def __init__(self, fill: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 784)
        self.fill = fill
        self.seen: list[bool] = []

    def forward(self, z: Tensor) -> Tensor:
        if self.training:
            self.seen.append(torch.are_deterministic_algorithms_enabled())
        values = self.linear(z)
        if self.training:
            values = self.fill(torch.zeros_like(values), torch.arange(values.numel()), values.detach())
        return values.view(-1, 1, 28, 28)


def plain(zeros: Tensor, index: Tensor, values: Tensor) -> Tensor:
    return values.requires_grad_()


def put(zeros: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """Where two values go to one place, either may stay."""
    return zeros.put_(index.view_as(values), values).requires_grad_()


def model_of(decoder: nn.Module) -> HierarchicalVAE:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 4))
    return vae((1, 28, 28), latent_sizes=(2,), network=(encoder, decoder))


@pytest.mark.parametrize("wanted", [True, False])
def test_the_switch_is_on_for_the_time_of_training(images: ImageDataset, wanted: bool) -> None:
    decoder = Watching(plain)
    train(model_of(decoder), images, ELBO(), steps=2, batch_size=4, device="cpu", deterministic=wanted)
    assert decoder.seen == [wanted, wanted]
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_operator_without_such_a_form_is_named_in_one_line(images: ImageDataset) -> None:
    with pytest.raises(RunError, match=r"^deterministic: put_ does not have a deterministic implementation; use") as no:
        train(model_of(Watching(put)), images, ELBO(), steps=2, batch_size=4, device="cpu", deterministic=True)
    assert "\n" not in str(no.value)
    assert torch.get_deterministic_debug_mode() == 0


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="another") as other, deterministic_algorithms(True):
        raise RuntimeError("another")
    assert not isinstance(other.value, RunError)


def test_what_was_set_before_is_set_after() -> None:
    torch.set_deterministic_debug_mode("warn")
    try:
        with deterministic_algorithms(True):
            assert torch.get_deterministic_debug_mode() == 2
        assert torch.get_deterministic_debug_mode() == 1
    finally:
        torch.set_deterministic_debug_mode("default")
