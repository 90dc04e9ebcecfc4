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
    return "0" if value == 0 else "2" + raised(round(math.log2(value), 1) + 0.0)


def weight_text(symbol: str, value: float) -> str:
    """A weight λ as a power of two, a radius ε as it is.

    Example:
        >>> weight_text("λ", 8.0), weight_text("ε", 8.0)
        ('2³', '8')
    """
    return lambda_text(value) if symbol == "λ" else f"{value:g}"


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
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if spread is not None and math.isfinite(spread) and 1e-4 < spread < 1e5:
        return _fixed(value, _decimals(spread))
    size = math.floor(math.log10(abs(value))) if value else 0
    if size >= max(4, digits) or size < -3:
        return _scientific(value, size, digits)
    return _fixed(value, digits - 1 - size) if value else "0"


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{min(max(decimals, 0), 5)}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def _decimals(spread: float) -> int:
    """Decimals that leave two significant digits of a spread that begins with 1, 2 or 3, else one (as the PDG does)."""
    size = math.floor(math.log10(spread))
    return (1 if spread / 10**size < 3.55 else 0) - size


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
