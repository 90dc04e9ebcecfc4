"""Bounded problems whose minima are known in closed form: the table every solver is held against."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Fun = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Problem:
    """A batch of bounded problems and the value of each row's minimum."""

    fun: Fun
    x0: Tensor
    lower: float | Tensor
    upper: float | Tensor
    minimum: Tensor


def _uniform(rows: int, n: int, low: float, high: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(rows, n, dtype=torch.float64, generator=generator) * (high - low) + low


def active_quadratic(rows: int, n: int) -> Problem:
    """½ Σ c_i (x_i − a_i)² with about half of the bounds active: separable, so the minimum is the clamped a."""
    curvature, a = torch.linspace(1, 100, n, dtype=torch.float64), _uniform(rows, n, -2, 2, 1)
    x0 = _uniform(rows, n, -1, 1, 2)
    minimum = 0.5 * (curvature * (a.clamp(-1, 1) - a) ** 2).sum(-1)
    return Problem(lambda x, i: 0.5 * (curvature * (x - a[i]) ** 2).sum(-1), x0, -1.0, 1.0, minimum)


def ill_conditioned(rows: int, n: int) -> Problem:
    """A quadratic of condition 10⁶ in a rotated basis, minimum inside the box: eigenvalues in three clusters."""
    spectrum = torch.tensor([1.0, 1e6, 1e3], dtype=torch.float64).repeat(n // 3 + 1)[:n]
    v = _uniform(1, n, -1, 1, 3)[0]
    v = v / v.norm()
    a = _uniform(rows, n, -1, 1, 4)

    def reflect(d: Tensor) -> Tensor:  # a Householder reflection: a dense rotation at the price of one dot product
        return d - 2 * (d @ v)[..., None] * v

    def fun(x: Tensor, i: Tensor) -> Tensor:
        return 0.5 * (spectrum * reflect(x - a[i]) ** 2).sum(-1)

    return Problem(fun, _uniform(rows, n, -2, 2, 5), -2.0, 2.0, torch.zeros(rows, dtype=torch.float64))


def rosenbrock(rows: int, n: int) -> Problem:
    """Pairs of Rosenbrock's valley: one minimum, 0 at (1, …, 1), on the way of which the path is curved."""
    even = n - n % 2

    def fun(x: Tensor, i: Tensor) -> Tensor:
        u, v = x[:, 0:even:2], x[:, 1:even:2]
        return (100 * (v - u**2) ** 2 + (1 - u) ** 2).sum(-1)

    return Problem(fun, _uniform(rows, n, -2, 2, 6), -2.0, 2.0, torch.zeros(rows, dtype=torch.float64))


def bounded_rosenbrock(rows: int, n: int) -> Problem:
    """Rosenbrock's valley cut off at u <= 1/2: the minimum is 1/4 a pair, at (1/2, 1/4)."""
    problem, even = rosenbrock(rows, n), n - n % 2
    minimum = torch.full((rows,), 0.25 * even / 2, dtype=torch.float64)
    upper = torch.where(torch.arange(n) % 2 == 0, 0.5, 2.0).double()
    return Problem(problem.fun, problem.x0, -2.0, upper, minimum)


def beale(rows: int, n: int) -> Problem:
    """Beale's function of the first two variables, 0 at (3, ½), and a parabola of the others."""

    def fun(x: Tensor, i: Tensor) -> Tensor:
        u, v = x[:, 0], x[:, 1]
        terms = (1.5 - u + u * v) ** 2 + (2.25 - u + u * v**2) ** 2 + (2.625 - u + u * v**3) ** 2
        return terms + (x[:, 2:] ** 2).sum(-1)

    x0 = torch.cat((_uniform(rows, 1, 1, 4, 7), _uniform(rows, 1, -0.5, 0.5, 8), _uniform(rows, n - 2, -1, 1, 9)), 1)
    # The usual box [−4.5, 4.5]² holds a second valley, along v > 1: here it is cut off.
    lower, upper = torch.full((n,), -1.0).double(), torch.full((n,), 0.9).double()
    lower[0], upper[0] = 0.5, 4.5
    return Problem(fun, x0, lower, upper, torch.zeros(rows, dtype=torch.float64))


def kink(rows: int, n: int) -> Problem:
    """1 + ‖x − a‖ + c·(x − a) with ‖c‖ = ½: the minimum is 1, at the kink, where there is no gradient."""
    a, c = _uniform(rows, n, -0.5, 0.5, 10), _uniform(rows, n, -1, 1, 11)
    c = 0.5 * c / c.norm(dim=-1, keepdim=True)

    def fun(x: Tensor, i: Tensor) -> Tensor:
        return 1 + torch.linalg.vector_norm(x - a[i], dim=-1) + (c[i] * (x - a[i])).sum(-1)

    return Problem(fun, _uniform(rows, n, -1, 1, 12), -1.0, 1.0, torch.ones(rows, dtype=torch.float64))


def corner(rows: int, n: int) -> Problem:
    """c·x + ½‖x‖² with every |c_i| > 1 on [−1, 1]ⁿ: the minimum is the corner −sign(c)."""
    c = _uniform(rows, n, 1.5, 3, 13) * (_uniform(rows, n, -1, 1, 14).sign())
    minimum = (0.5 - c.abs()).sum(-1)
    return Problem(lambda x, i: (c[i] * x + 0.5 * x**2).sum(-1), _uniform(rows, n, -1, 1, 15), -1.0, 1.0, minimum)


PROBLEMS: dict[str, Callable[[int, int], Problem]] = {
    problem.__name__: problem
    for problem in (active_quadratic, ill_conditioned, rosenbrock, bounded_rosenbrock, beale, kink, corner)
}
