"""What a turn asks of a device is counted, not timed, so that waits and operators cannot creep back."""

import pytest
import torch

from seatbelt_vae.optim import PathSettings, Problem, follow_path
from seatbelt_vae.optim.descent import Descent
from tests.counting import Counter

ROWS, SIZE = 6, 128
WAITS = 4
"""Values and slopes; the curvature of the new pair; what changed its freedom; the slope of the new direction."""
OPERATORS = 250
"""Those of the function among them, about 30."""


def creased(d: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """A parabola and a crease whose place depends on the row."""
    away = d - torch.linspace(-1, 1, SIZE) * (1 + rows[:, None])
    return 10 * away.square().sum(1) + away.sum(1).abs()


def test_a_turn_waits_four_times_and_stays_lean(monkeypatch: pytest.MonkeyPatch) -> None:
    """On average over a continuation, with all that begins and ends in it; a turn of the search alone never more."""
    problem = Problem(creased, torch.zeros(ROWS, SIZE), -2.0, 2.0)
    waits: list[int] = []
    with Counter(monkeypatch) as counter:
        step = Descent.step

        def watched(descent: Descent) -> None:
            before = counter.waits
            step(descent)
            waits.append(counter.waits - before)

        monkeypatch.setattr(Descent, "step", watched)
        follow_path(problem, [0.1, 1.0, 10.0], PathSettings(max_iterations=60, pace=20))
    assert len(waits) > 60
    assert sorted(waits)[len(waits) * 3 // 4] <= WAITS
    assert counter.waits <= (WAITS + 1) * len(waits)
    assert counter.operators <= OPERATORS * len(waits)
