"""Layers with a known Lipschitz constant of 1: orthonormal matrices and sorted pairs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError

ITERATIONS = 8
ROUNDING = 1e-4
"""By how much single precision may exceed a constant that holds in exact arithmetic."""


def orthonormalised(weight: Tensor, iterations: int = ITERATIONS) -> Tensor:
    r"""The orthonormal matrix nearest a matrix W, by Björck's iteration; no singular value is above 1.

    .. math:: W_0 = W / \sqrt{s}, \qquad W_{k+1} = \tfrac12 (3 I - W_k W_k^\top) W_k, \qquad
        s = \min(\|G\|_F, 1 + \|G - I\|_F) \ge \|G\|_2, \quad G = W W^\top

    The division takes every singular value σ into [0, 1], and σ (3 - σ²) / 2 keeps it there and moves it to 1, so the
    constant holds after any number of iterations. They are made on the smaller Gram matrix.

    Args:
        weight: W, (rows, columns).
        iterations: how many.

    References:
        Björck & Bowie 1971, An iterative algorithm for computing the best estimate of an orthogonal matrix.
        Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation.

    Example:
        >>> w = orthonormalised(torch.tensor([[3.0, 0.0], [0.0, 1.0]]))
        >>> torch.allclose(w, torch.eye(2), atol=1e-3)
        True
    """
    if weight.shape[0] > weight.shape[1]:
        return orthonormalised(weight.T, iterations).T
    gram = weight @ weight.T
    one = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    bound = torch.minimum(frobenius(gram), 1 + frobenius(gram - one))
    scale = bound.clamp(min=torch.finfo(gram.dtype).tiny)
    gram = gram / scale
    factor = one
    for _ in range(iterations):
        step = 1.5 * one - 0.5 * gram
        factor = factor @ step
        gram = gram @ step @ step
    return factor @ weight / scale.sqrt()


def frobenius(matrix: Tensor) -> Tensor:
    """The root of the sum of all squares.

    Example:
        >>> frobenius(torch.tensor([[3.0, 4.0]]))
        tensor(5.)
    """
    norm: Tensor = torch.linalg.matrix_norm(matrix)
    return norm


class OrthonormalLinear(nn.Linear):
    """A linear layer whose matrix is orthonormal: it makes no distance longer.

    The matrix of a frozen layer in evaluation mode is computed once.

    Example:
        >>> layer = OrthonormalLinear(4, 3)
        >>> float(torch.linalg.matrix_norm(layer.matrix.detach(), 2)) < 1 + ROUNDING
        True
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.orthogonal_(self.weight)
        self._kept: tuple[tuple[int, int], Tensor] | None = None

    @property
    def matrix(self) -> Tensor:
        """What the inputs are multiplied by, (out, in)."""
        weight = self.weight
        if self.training or weight.requires_grad or torch.is_inference_mode_enabled():
            return orthonormalised(weight)
        state = (weight.data_ptr(), weight._version)
        if self._kept is None or self._kept[0] != state:
            self._kept = (state, orthonormalised(weight))
        return self._kept[1]

    def forward(self, input: Tensor) -> Tensor:
        """The layer's outputs, (B, out)."""
        with torch.autocast(input.device.type, enabled=False):  # half precision would exceed the constant
            return nn.functional.linear(input.to(self.weight.dtype), self.matrix, self.bias)


class SortedPairs(nn.Module):
    """GroupSort of groups of two: neither a distance nor a gradient gets longer or shorter.

    References:
        Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation.

    Example:
        >>> SortedPairs()(torch.tensor([[3.0, 1.0, -2.0, 5.0]]))
        tensor([[ 1.,  3., -2.,  5.]])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each pair of neighbours in ascending order, (B, even number)."""
        pairs = x.unflatten(-1, (-1, 2))
        low = pairs.amin(-1)
        high = pairs.amax(-1)
        return torch.stack([low, high], dim=-1).flatten(-2)


def orthonormal_perceptron(sizes: Sequence[int]) -> nn.Sequential:
    """Orthonormal layers of the given sizes with sorted pairs between them: a function of constant 1.

    Raises:
        InputError: a hidden size is odd.

    Example:
        >>> [type(layer).__name__ for layer in orthonormal_perceptron([4, 8, 2])]
        ['OrthonormalLinear', 'SortedPairs', 'OrthonormalLinear']
    """
    layers: list[nn.Module] = []
    for size in sizes[1:-1]:
        if size % 2:
            raise InputError(f"hidden_sizes: {size} is odd, sorted pairs need an even number of units")
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers.append(OrthonormalLinear(fan_in, fan_out))
        layers.append(SortedPairs())
    return nn.Sequential(*layers[:-1])
