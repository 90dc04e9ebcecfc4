"""log q̂ is computed block by block: the same value and gradient, and memory that grows with neither B·M·D nor B·M."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seatbelt_vae.errors import RunError
from seatbelt_vae.objectives import mixture
from seatbelt_vae.objectives.aggregate import aggregate, log_weights

ESTIMATORS: list[Any] = ["mws", "mss", "leave-one-in"]
GROUPS = [[0, 1], [2]]
Inputs = tuple[Tensor, Tensor, Tensor]


def problem(batch: int, size: int, others: int = 0, dtype: torch.dtype = torch.float64) -> Inputs:
    """Samples, loc and scale; every one needs a gradient."""
    generator = torch.Generator().manual_seed(0)
    loc = torch.randn(batch + others, size, generator=generator, dtype=dtype)
    scale = 0.2 + torch.rand(batch + others, size, generator=generator, dtype=dtype)
    z = loc[:batch] + scale[:batch] * torch.randn(batch, size, generator=generator, dtype=dtype)
    return z.requires_grad_(), loc.requires_grad_(), scale.requires_grad_()


def usual(z: Tensor, loc: Tensor, scale: Tensor, estimator: Any) -> tuple[Tensor, ...]:
    """The formula as it is written, with the (B, M, D) tensor."""
    log_q = Normal(loc, scale).log_prob(z[:, None])
    log_w = log_weights(z.detach(), len(loc), 500, estimator)
    grouped = [(log_w + log_q[..., group].sum(-1)).logsumexp(1) for group in GROUPS]
    joint = (log_w + log_q.sum(-1)).logsumexp(1)
    return joint, torch.stack(grouped, dim=1), (log_w[..., None] + log_q).logsumexp(1)


def blockwise(z: Tensor, loc: Tensor, scale: Tensor, estimator: Any) -> tuple[Tensor, ...]:
    return aggregate(z, Normal(loc, scale), 500, estimator, GROUPS)


def total(outputs: tuple[Tensor, ...]) -> Tensor:
    """A scalar that weighs every output differently."""
    value = outputs[0].new_zeros(())
    for out in outputs:
        value = value + (torch.arange(1.0, out.numel() + 1).view_as(out) * out).sum()
    return value


def cut(monkeypatch: pytest.MonkeyPatch, columns: int, elements: int) -> None:
    monkeypatch.setattr(mixture, "COLUMNS", columns)
    monkeypatch.setattr(mixture, "ELEMENTS", elements)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("others", [0, 7])
@pytest.mark.parametrize(("columns", "elements"), [(1, 1), (4, 60), (5, 200), (13, 60), (128, 10_000)])
def test_is_the_usual_formula_in_value_and_gradient(
    monkeypatch: pytest.MonkeyPatch, estimator: str, others: int, columns: int, elements: int
) -> None:
    cut(monkeypatch, columns, elements)
    inputs = problem(13, 3, others)
    expected = usual(*inputs, estimator)
    found = blockwise(*inputs, estimator)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    gradients = torch.autograd.grad(total(found), inputs)
    for a, b in zip(gradients, torch.autograd.grad(total(expected), inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_float32_keeps_its_digits(estimator: str) -> None:
    """Against the usual formula in float64, 200 samples in 20 dimensions: 1e-6 of the value, 1e-5 of the gradient."""
    inputs = problem(200, 20)
    exact = usual(*inputs, estimator)
    gradients = torch.autograd.grad(total(exact), inputs)
    z, loc, scale = (tensor.detach().float().requires_grad_() for tensor in inputs)
    found = blockwise(z, loc, scale, estimator)
    for a, b in zip(found, exact, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=2e-6, atol=5e-6)
    for a, b in zip(torch.autograd.grad(total(found), [z, loc, scale]), gradients, strict=True):
        assert (a.double() - b).norm() < 1e-5 * b.norm()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gradients_are_those_of_finite_differences(monkeypatch: pytest.MonkeyPatch, estimator: str) -> None:
    cut(monkeypatch, 3, 20)
    assert torch.autograd.gradcheck(lambda *inputs: blockwise(*inputs, estimator), problem(4, 3, others=3))


def test_a_second_derivative_is_refused() -> None:
    inputs = problem(4, 3)
    with pytest.raises(RunError, match="can be differentiated once"):
        torch.autograd.grad(total(blockwise(*inputs, "mss")), inputs, create_graph=True)


def test_autocast_changes_nothing() -> None:
    z, loc, scale = problem(40, 3, dtype=torch.float32)
    plain = blockwise(z, loc, scale, "mss")
    gradients = torch.autograd.grad(total(plain), [z, loc, scale])
    with torch.autocast("cpu", torch.bfloat16):
        cast = blockwise(z, loc, scale, "mss")
        again = torch.autograd.grad(total(cast), [z, loc, scale])
    for a, b in zip((*cast, *again), (*plain, *gradients), strict=True):
        assert torch.equal(a, b)


def test_half_precision_is_left_at_the_door() -> None:
    z, loc, scale = (tensor.detach().bfloat16() for tensor in problem(9, 3))
    for a, b in zip(
        blockwise(z, loc, scale, "mws"), usual(z.double(), loc.double(), scale.double(), "mws"), strict=True
    ):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_processes_that_share_a_batch_give_what_one_gives(estimator: str) -> None:
    """Each has its own samples, and all posteriors, its own first: values and summed gradients are the batch's."""
    z, loc, scale = problem(12, 3)
    alone = blockwise(z, loc, scale, estimator)
    shared: list[tuple[Tensor, ...]] = []
    for rank in range(3):
        first = 4 * rank
        turned = loc.roll(-first, 0), scale.roll(-first, 0)
        shared.append(blockwise(z[first : first + 4], *turned, estimator))
    together = tuple(torch.cat(parts) for parts in zip(*shared, strict=True))
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    expected = torch.autograd.grad(total(alone), [z, loc, scale])
    for a, b in zip(torch.autograd.grad(total(together), [z, loc, scale]), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_far_samples_stay_finite(estimator: Any) -> None:
    """100 000 standard deviations from all posteriors but their own, and from their own as well."""
    loc = torch.tensor([[0.0, 0.0], [1000.0, -1000.0], [5.0, 5.0]], requires_grad=True)
    scale = torch.full_like(loc, 1e-2).requires_grad_()
    for z in (loc, loc.detach() + 300.0):
        joint, _, marginals = aggregate(z, Normal(loc, scale), 10, estimator)
        gradients = torch.autograd.grad((joint - marginals.sum(-1)).sum(), [loc, scale])
        assert torch.isfinite(joint).all()
        assert all(torch.isfinite(gradient).all() for gradient in gradients)


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation makes, backward passes included."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self.elements = max(self.elements, leaf.numel())
        return out


def test_memory_grows_with_no_product_of_batch_and_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tensor is beyond a block or a few times an input, and none that is kept is larger than an input."""
    cut(monkeypatch, 16, 2**11)
    kept = []
    batch, size = 96, 8
    inputs = problem(batch, size)
    with Largest() as largest:
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor
        ):
            outputs = aggregate(inputs[0], Normal(*inputs[1:]), 500, "mss")
        total(outputs).backward()
    assert max(tensor.numel() for tensor in kept) <= batch * size
    assert largest.elements <= max(2**11, 3 * batch * size)
    assert batch * batch > largest.elements
