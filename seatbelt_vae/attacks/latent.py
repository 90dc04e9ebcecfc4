"""The latent attack: make the posterior of x + d that of the target."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.attacks.divergences import L2_SAMPLES, Divergence, find_divergence
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.part import AttackObjective, check_choice, check_count
from seatbelt_vae.attacks.protocol import Attackable, distorted, encode_paths, parts
from seatbelt_vae.errors import InputError

Layers = str | tuple[int, ...] | None
NAMED = {"all": slice(None), "bottom": slice(1), "top": slice(-1, None)}


@dataclass(frozen=True)
class Latent(AttackObjective):
    r"""The divergence of the posterior of x + d from that of the target, summed over layers.

    .. math:: r(d) = \frac1S \sum_s \sum_{l \in \text{layers}} r\big(q_s(z_l|x+d),\, q_s(z_l|x_t)\big)

    Path s follows one set of noise from layer to layer, the same for both images unless the target is given its own;
    without noise the means are followed.

    Args:
        divergence: "kl", "reverse-kl", "skl", "w2", "l2-means", "l2-samples", or in Python a function (q, t) -> (B,).
        layers: whose posteriors are compared: "all", "bottom", "top" or indices from 0 (the bottom); None for those
            that the decoder sees.
        samples: sets of random numbers, drawn once per pair, along which encodings are sampled; 0 follows the means.
            None: 0, but 1 for l2-samples.
        target_noise: "same", the target's encodings are sampled with the source's noise, or "own", with another,
            which no distortion can undo: Δ of a hierarchy then has a floor that is no robustness. It is here to be
            recognised, not to be used.

    Raises:
        InputError: an unknown name or layer, samples below 0, noise of its own for a target that follows means.

    References:
        Tabacof et al. 2016; Willetts et al. 2020, equation 11.

    Example:
        >>> Latent("w2", layers="top", samples=4).settings()["layers"]
        'top'
    """

    name: ClassVar[str] = "latent"
    divergence: str | Divergence = "kl"
    layers: Layers = None
    samples: int | None = None
    target_noise: Literal["same", "own"] = "same"

    def __post_init__(self) -> None:
        find_divergence(self.divergence)
        object.__setattr__(self, "layers", check_layers(self.layers))
        check_count("samples", self.samples, least=0)
        check_choice("target_noise", self.target_noise, ("same", "own"))
        if self.samples == 0 and self.divergence == L2_SAMPLES:
            raise InputError("samples 0: l2-samples compares samples, needs 1 or more")
        if self.target_noise == "own" and not self.draws:
            raise InputError("target_noise own: needs an attack that follows samples, such as samples=4")

    @property
    def draws(self) -> int:
        """Sets of random numbers for each pair."""
        if self.samples is None:
            return int(self.divergence == L2_SAMPLES)
        return self.samples

    def resolved(self, depth: int, decoder_sees: str) -> Self:
        """With the layers' indices and the number of samples."""
        layers = choose_layers(self.layers, depth, decoder_sees)
        return replace(self, layers=layers, samples=self.draws)

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> "LatentObjective":
        """The divergence as a function of d."""
        return LatentObjective(self, model, source, target, noise)


class LatentObjective:
    """The divergence between posteriors of x + d and of the target; these are computed once.

    Args:
        settings: what is compared.
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        noise: S sets per pair, each layer (P, S, …); None in it to follow the means.
    """

    def __init__(self, settings: Latent, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> None:
        self.settings = settings
        self.model = model
        self.source = source
        self.noise = noise.source
        self.divergence = find_divergence(settings.divergence)
        self.samples = max(1, settings.draws)
        theirs = noise.source
        if settings.target_noise == "own":
            theirs = noise.target
        batches = []
        with torch.no_grad():
            for pairs in parts(target, self.samples):
                batches.append(self.posteriors(target[pairs], pairs, theirs))
        self.targets = _joined(batches)

    def posteriors(self, x: Tensor, pairs: Tensor, noise: Sequence[Tensor] | None) -> list[Normal]:
        """The attacked layers' posteriors of images (B, C, H, W) along paths of noise, flattened to (B·S, D)."""
        q, paths = encode_paths(self.model, x, noise, pairs)
        sees = getattr(self.model, "decoder_sees", "all")
        found = []
        for i in choose_layers(self.settings.layers, len(q), sees):
            loc = q[i].loc
            if self.settings.divergence == L2_SAMPLES and paths is not None:
                loc = loc + q[i].scale * paths[i]
            found.append(_flat(loc, q[i].scale))
        return found

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """The divergence of distortions (B, n) of the given pairs (B,): (B,)."""
        x = distorted(self.source, d, pairs)
        path = torch.arange(self.samples, device=pairs.device)
        row = (pairs[:, None] * self.samples + path).flatten()
        total = d.new_zeros(len(row))
        for q, t in zip(self.posteriors(x, pairs, self.noise), self.targets, strict=True):
            theirs = Normal(t.loc[row], t.scale[row], validate_args=False)
            total = total + self.divergence(q, theirs)
        return total.view(-1, self.samples).mean(1)


def _flat(loc: Tensor, scale: Tensor) -> Normal:
    return Normal(loc.flatten(1), scale.flatten(1), validate_args=False)


def _joined(batches: Sequence[Sequence[Normal]]) -> list[Normal]:
    """Layers' posteriors of several batches as those of one."""
    found = []
    for layer in zip(*batches, strict=True):
        loc = torch.cat([q.loc for q in layer])
        scale = torch.cat([q.scale for q in layer])
        found.append(Normal(loc, scale, validate_args=False))
    return found


def check_layers(layers: str | Sequence[int] | None) -> Layers:
    """Layers as a name or a tuple.

    Raises:
        InputError: an unknown name, no index, one twice or below 0.

    Example:
        >>> check_layers([0, 2])
        (0, 2)
    """
    if layers is None:
        return None
    if isinstance(layers, str | int):
        if layers not in NAMED:
            raise InputError(f"layers {layers!r}: must be {', '.join(NAMED)}, or indices from 0 (the bottom)")
        return str(layers)
    chosen = tuple(layers)
    whole = all(isinstance(i, int) and i >= 0 for i in chosen)
    if not chosen or len(set(chosen)) != len(chosen) or not whole:
        raise InputError(f"layers {list(chosen)}: must be different indices from 0 (the bottom)")
    return chosen


def choose_layers(layers: Layers, depth: int, decoder_sees: str = "all") -> tuple[int, ...]:
    """Indices of the layers to attack.

    Args:
        layers: ``all``, ``bottom``, ``top`` or indices from 0, the bottom; None for all that the decoder sees.
        depth: number L of layers.
        decoder_sees: ``all``, or ``bottom`` for a decoder of z_1 alone.

    Raises:
        InputError: no such layer.

    Example:
        >>> choose_layers("all", 3), choose_layers("top", 3), choose_layers(None, 3, "bottom"), choose_layers((0, 2), 3)
        ((0, 1, 2), (2,), (0,), (0, 2))
    """
    chosen = check_layers(layers) or check_layers(decoder_sees) or ()
    if isinstance(chosen, str):
        return tuple(range(depth))[NAMED[chosen]]
    if max(chosen) >= depth:
        raise InputError(f"layers {list(chosen)}: must be different indices from 0 (the bottom) to {depth - 1}")
    return chosen
