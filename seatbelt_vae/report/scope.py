"""Which layers an attack aimed at, in words: those that the decoder sees, which is the usual, or some alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Scope:
    """The layers that an attack compared.

    Args:
        layers: their indices, from 0 (the bottom); empty where the attack compares no posteriors.
        total: number of layers of the model.
        seen: those that the decoder sees.
    """

    layers: tuple[int, ...]
    total: int
    seen: tuple[int, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Scope":
        """Read it from an attack's settings.

        Example:
            >>> Scope.of({"objective": {"layers": [0]}, "model_layers": 3, "decoder_sees": "all"}).words
            'z₁ (bottom)'
        """
        layers = tuple(settings["objective"].get("layers") or ())
        total = int(settings.get("model_layers") or len(layers))
        seen = tuple(range(total))
        if settings.get("decoder_sees") == "bottom":
            seen = (0,)
        return cls(layers, total, seen)

    @property
    def usual(self) -> bool:
        """Whether these are just the layers that the decoder sees."""
        return not self.layers or self.layers == self.seen

    @property
    def whole(self) -> bool:
        """Whether these are all layers."""
        return len(self.layers) == self.total

    @property
    def words(self) -> str:
        """The layers by name."""
        if self.whole and self.total == 1:
            return "the one layer"
        if self.whole:
            return "all layers"
        return ", ".join(layer_name(layer, self.total) for layer in self.layers)

    @property
    def key(self) -> str:
        """The same for file names."""
        if self.whole:
            return "all-layers"
        ends = {0: "bottom", self.total - 1: "top"}
        return "-".join(ends.get(layer, f"z{layer + 1}") for layer in self.layers)

    @property
    def order(self) -> tuple[bool, Sequence[int]]:
        """All layers first, then from the bottom up."""
        return not self.whole, self.layers


def layer_name(layer: int, total: int) -> str:
    """A layer's name.

    Example:
        >>> layer_name(0, 4), layer_name(1, 4), layer_name(3, 4), layer_name(0, 1)
        ('z₁ (bottom)', 'z₂', 'z₄ (top)', 'z')
    """
    if total == 1:
        return "z"
    ends = {0: " (bottom)", total - 1: " (top)"}
    return f"z{layer + 1}".translate(_LOWERED) + ends.get(layer, "")
