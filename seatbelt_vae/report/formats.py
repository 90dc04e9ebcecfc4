"""Numbers as people read them: no more digits than the interval supports, powers of ten and two set as powers."""

import math

_RAISED = str.maketrans("-−0123456789.", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


def raised(exponent: float) -> str:
    """An exponent in superscript characters.

    Example:
        >>> raised(-20)
        '⁻²⁰'
    """
    return f"{exponent:g}".translate(_RAISED)


def lambda_text(value: float) -> str:
    """λ as a power of two.

    Example:
        >>> lambda_text(0.0), lambda_text(8.0), lambda_text(2**-0.4)
        ('0', '2³', '2⁻⁰·⁴')
    """
    if value == 0:
        return "0"
    return "2" + raised(round(math.log2(value), 1) + 0.0)


def budget_text(symbol: str, value: float) -> str:
    """A penalty λ as a power of two, a radius ε as it is.

    Example:
        >>> budget_text("λ", 8.0), budget_text("ε", 8.0)
        ('2³', '8')
    """
    if symbol == "λ":
        return lambda_text(value)
    return f"{value:g}"


def number(value: float, spread: float | None = None, digits: int = 3) -> str:
    """A number with a digit or two of what is uncertain in it, and a proper minus sign.

    Args:
        value: the number.
        spread: half the width of its interval; it decides the decimals.
        digits: significant digits where there is no spread.

    Example:
        >>> number(0.5268, 0.08), number(-173.21, 2.4), number(123456.0), number(3.14159), number(0.68, digits=2)
        ('0.53', '−173.2', '1.23×10⁵', '3.14', '0.68')
        >>> number(float("nan")), number(0.0), number(-0.001, 0.5)
        ('–', '0', '0.0')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    if spread is not None and 1e-4 < spread < 1e5:
        return _fixed(value, _decimals(spread))
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= max(4, digits) or size < -3:
        return _scientific(value, size, digits)
    return _fixed(value, digits - 1 - size)


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{min(max(decimals, 0), 5)}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", "−")


def _decimals(spread: float) -> int:
    """Decimals that leave two significant digits of a spread that begins with 1, 2 or 3, else one (as the PDG does)."""
    size = math.floor(math.log10(spread))
    if spread / 10**size < 3.55:
        return 1 - size
    return -size


def _scientific(value: float, size: int, digits: int) -> str:
    mantissa = f"{value / 10**size:.{digits - 1}f}".replace("-", "−")
    return f"{mantissa}×10{raised(size)}"


def in_sentence(title: str) -> str:
    """A title as words within a sentence.

    Example:
        >>> in_sentence("Latent attack (KL)")
        'latent attack (KL)'
    """
    return title[:1].lower() + title[1:]


def with_unit(title: str, unit: str) -> str:
    """A title and its unit.

    Example:
        >>> with_unit("ELBO", "nats"), with_unit("MIG", "")
        ('ELBO (nats)', 'MIG')
    """
    if not unit:
        return title
    return f"{title} ({unit})"
