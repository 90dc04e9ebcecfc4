"""Numbers and lists as people read them: no more digits than the interval supports, powers set as powers."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

_RAISED = str.maketrans("-−0123456789.", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


def public(name: str) -> str:
    """The name of data without the folders above them: who reads a page has no need of these.

    Example:
        >>> public("/home/me/photos"), public("sprites")
        ('photos', 'sprites')
    """
    return Path(name).name or name


def budget_text(symbol: str, value: float) -> str:
    """A penalty λ as a power of two, a radius ε as it is.

    Example:
        >>> budget_text("λ", 8.0), budget_text("λ", 2**-0.4), budget_text("λ", 0.0), budget_text("ε", 8.0)
        ('2³', '2⁻⁰·⁴', '0', '8')
    """
    if symbol != "λ" or value == 0:
        return f"{value:g}"
    exponent = round(math.log2(value), 1) + 0.0
    return f"2{_raised(exponent)}"


def _raised(exponent: float) -> str:
    return f"{exponent:g}".translate(_RAISED)


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
        return f"{value}".replace("-", "−").replace("inf", "∞")
    if spread is not None and 1e-4 < spread < 1e5:
        return _fixed(value, _decimals(spread))
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -3 <= size < max(4, digits):
        return _fixed(value, digits - 1 - size)
    mantissa = f"{value / 10**size:.{digits - 1}f}".replace("-", "−")
    return f"{mantissa}×10{_raised(size)}"


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


def listed(words: Sequence[str]) -> str:
    """A, B and C.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a"]), listed(["a, 1", "b, 2"])
        ('a, b and c', 'a', 'a, 1; and b, 2')
        >>> listed(["0.5 [0.4, 0.6] for a", "0.7 [0.5, 0.9] for b"])
        '0.5 [0.4, 0.6] for a and 0.7 [0.5, 0.9] for b'
    """
    if len(words) < 2:
        return "".join(words)
    outside = re.sub(r"\[.*?\]|\(.*?\)", "", "\n".join(words))
    if ", " in outside:
        return "; ".join([*words[:-1], f"and {words[-1]}"])
    return f"{', '.join(words[:-1])} and {words[-1]}"


def told_apart(names: Sequence[str], more: Sequence[str]) -> list[str]:
    """Names that differ: one that stands twice is followed by what else is known of it.

    Example:
        >>> told_apart(["VAE", "VAE", "DLGM"], ["a", "b", "c"])
        ['VAE (a)', 'VAE (b)', 'DLGM']
    """
    found = []
    for name, other in zip(names, more, strict=True):
        if names.count(name) > 1:
            name = f"{name} ({other})"
        found.append(name)
    return found


def plural(count: int, word: str) -> str:
    """A number of things.

    Example:
        >>> plural(1, "pair"), plural(2, "pair"), plural(3, "radius")
        ('1 pair', '2 pairs', '3 radii')
    """
    if count == 1:
        return f"1 {word}"
    if word.endswith("us"):
        return f"{count} {word[:-2]}i"
    return f"{count} {word}s"


def slug(words: str) -> str:
    """Words as the name of a file.

    Example:
        >>> slug("latent-kl-seed 1")
        'latent-kl-seed-1'
    """
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")
