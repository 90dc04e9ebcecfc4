from seatbelt_vae.report.axes import BudgetAxis, log_ticks

from .synthetic import paper_lambdas


def test_lambda_zero_stands_apart_at_the_left_of_the_papers_grid() -> None:
    axis = BudgetAxis.of(paper_lambdas(51).tolist())
    assert (axis.low, axis.high) == (-20, 20)
    assert axis.zero < axis.low - 1
    assert axis.powers == [axis.zero, -20, -10, 0, 10, 20]
    assert axis.place(8.0) == 3
    apart = [axis.place(0.0, slot) for slot in range(3)]
    assert len(set(apart)) == 3
    assert max(apart) < axis.low


def test_a_grid_of_zero_alone_has_an_axis() -> None:
    axis = BudgetAxis.of([0.0])
    assert axis.zero < axis.low


def test_log_ticks_lie_inside_and_are_never_many() -> None:
    for low, high in ((1e-9, 1e12), (0.02, 3.0), (110.0, 140.0), (1.0, 10.0)):
        ticks = log_ticks(low, high)
        assert all(low <= tick <= high for tick in ticks)
        assert len(ticks) <= 8
