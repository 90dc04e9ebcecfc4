"""A row's memory that another problem left it is a help, and no reason to stop."""

import numpy as np
import pytest
import torch
from torch import Tensor

from seatbelt_vae.optim.descent import Descent, Rules
from seatbelt_vae.optim.problem import Box
from seatbelt_vae.optim.solution import Status

RULES = Rules(0.0, 3e-4, patience=20, memory=5)
STIFF, HIGH = 1e6, 1e3


class Quadratics:
    """½ · 10⁶ ‖x‖² and then 10³ + ½ ‖x − 1‖², in three dimensions."""

    def evaluate(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        second = index[:, None].to(x)
        curvature = torch.where(second == 0, STIFF, 1.0)
        away = x - second
        return (curvature * away**2).sum(-1).double() / 2 + HIGH * index, curvature * away

    def box(self, index: Tensor) -> Box:
        return Box(torch.tensor([[-9.0]]), torch.tensor([[9.0]]))


@pytest.mark.parametrize("after", [2, 3, 4])
def test_a_stiff_memory_does_not_end_a_flat_problem(after: int) -> None:
    """By the memory all that could be gained is 10⁻⁹ of the value; it is 1.5 · 10⁻³."""
    descent = Descent(Quadratics(), RULES)
    descent.admit(np.array([0]), torch.tensor([[1.0, -2.0, 0.5]]), 100)
    for _ in range(after):
        descent.step()
    assert bool(descent.batch.history.filled.any())
    descent.admit(np.array([1]), descent.batch.x.clone(), 100, np.array([0]))
    ended = {}
    while len(descent):
        descent.step()
        out = descent.release()
        ended |= {int(i): (x, int(status)) for i, x, status in zip(out.index, out.x, out.status, strict=True)}
    x, status = ended[1]
    torch.testing.assert_close(x, torch.ones(3), atol=1e-3, rtol=0.0)  # here the gradient is 0 to the last bit
    assert status == Status.CONVERGED
