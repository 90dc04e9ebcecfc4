"""log q̂ of a large batch is streamed: same value, same gradient, memory that does not grow with B·M·D."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seatbelt_vae.objectives.aggregate import aggregate

ESTIMATORS = ["mws", "mss", "leave-one-in"]
LIMIT = "seatbelt_vae.objectives.aggregate.ELEMENTS_IN_MEMORY"


def problem(batch: int, size: int, others: int = 0) -> list[Tensor]:
    """Noise, loc and scale; every one needs a gradient."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(batch, size, generator=generator, dtype=torch.float64)
    loc = torch.randn(batch + others, size, generator=generator, dtype=torch.float64)
    scale = 0.2 + torch.rand(batch + others, size, generator=generator, dtype=torch.float64)
    return [tensor.requires_grad_() for tensor in (noise, loc, scale)]


def total(tensors: list[Tensor], estimator: Any) -> Tensor:
    """A scalar that weighs every output differently."""
    noise, loc, scale = tensors
    z = loc[: len(noise)] + scale[: len(noise)] * noise
    outputs = aggregate(z, Normal(loc, scale), 500, estimator, groups=[[0, 1], [2]])
    return sum((torch.arange(1.0, out.numel() + 1).view_as(out) * out).sum() for out in outputs)  # type: ignore[return-value]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("others", [0, 7])
@pytest.mark.parametrize("limit", [1, 60, 200, 10_000])
def test_streamed_is_direct_in_value_and_gradient(
    monkeypatch: pytest.MonkeyPatch, estimator: str, others: int, limit: int
) -> None:
    tensors = problem(13, 3, others)
    direct = total(tensors, estimator)
    expected = torch.autograd.grad(direct, tensors)
    monkeypatch.setattr(LIMIT, limit)
    streamed = total(tensors, estimator)
    assert torch.allclose(streamed, direct, rtol=1e-12)
    for a, b in zip(torch.autograd.grad(streamed, tensors), expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-10)


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation makes, backward passes included."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self.elements = max(self.elements, leaf.numel())
        return out


def largest_and_saved(batch: int, size: int) -> tuple[int, int]:
    """Elements of the largest tensor ever made, and of all tensors kept for the backward pass, each counted once."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.numel()
        return tensor

    tensors = problem(batch, size)
    with Largest() as largest:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            value = total(tensors, "mws")
        value.backward()
    return largest.elements, sum(kept.values())


def test_memory_does_not_grow_with_the_cube(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of 2¹¹ elements: no tensor beyond it or beyond B·M, where the direct way makes B·M·D of them."""
    batch, size = 64, 32
    assert largest_and_saved(batch, size)[0] == batch * batch * size
    monkeypatch.setattr(LIMIT, 2**11)
    largest, saved = largest_and_saved(batch, size)
    assert largest <= max(2**11, batch * batch)
    assert saved < 4 * batch * batch
    # Twice the dimensions: the largest tensor is what it was.
    monkeypatch.setattr(LIMIT, 2**12)
    assert largest_and_saved(batch, 2 * size)[0] <= 2**12
