import math

from hypothesis import given
from hypothesis import strategies as st

from seatbelt_vae.report.formats import budget_text, number


def read(text: str) -> float:
    """What `number` wrote, as a float again."""
    plain = text.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    mantissa, _, power = plain.partition("×10")
    return float(mantissa) * 10.0 ** int(power or 0)


@given(st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda value: abs(value) > 1e-12), st.integers(2, 4))
def test_without_a_spread_a_number_keeps_its_significant_digits(value: float, digits: int) -> None:
    shown = read(number(value, digits=digits))
    assert math.isclose(shown, value, rel_tol=0.5001 * 10 ** (1 - digits), abs_tol=0.51e-5)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_rounding_costs_less_than_a_fifth_of_the_spread(value: float, spread: float) -> None:
    assert abs(read(number(value, spread)) - value) <= max(0.15 * spread, 0.5 * (spread >= 3.55))


def test_minus_zero_is_zero() -> None:
    assert number(-0.0) == "0"
    assert number(-1e-3, 1.0) == "0.0"


def test_lambda_is_a_power_of_two_even_next_to_zero() -> None:
    assert [budget_text("λ", 2.0**power) for power in (-20, -0.01, 0, 0.8)] == ["2⁻²⁰", "2⁰", "2⁰", "2⁰·⁸"]
