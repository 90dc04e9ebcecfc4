"""The latent attack: make the posterior of x + d that of the target."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.attacks.divergences import Divergence
from seatbelt_vae.attacks.memory import parts
from seatbelt_vae.attacks.protocol import Attackable, encode_paths
from seatbelt_vae.errors import InputError

Layers = str | Sequence[int] | None


class LatentObjective:
    r"""Sum over layers of the divergence between the posteriors of x + d and of the target.

    .. math:: r(d) = \frac1S \sum_s \sum_{l \in \text{layers}} r\big(q_s(z_l|x+d),\, q_s(z_l|x_t)\big)

    Path s follows one set of noise from layer to layer, the same for both images unless the target is given its own;
    without noise the means are followed.
    The target's posteriors are computed once.

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        divergence: r.
        layers: indices of the layers attacked, bottom first.
        noise: S sets per pair, each layer (P, S, …); None to propagate means.
        of_samples: compare samples z = loc + scale · noise in the place of means (``l2-samples``).
        target_noise: that of the target's paths, like `noise`; None for the same.
    """

    def __init__(
        self,
        model: Attackable,
        source: Tensor,
        target: Tensor,
        divergence: Divergence,
        layers: Sequence[int],
        noise: Sequence[Tensor] | None = None,
        of_samples: bool = False,
        target_noise: Sequence[Tensor] | None = None,
    ) -> None:
        self.model, self.source, self.divergence = model, source, divergence
        self.layers, self.noise, self.of_samples = tuple(layers), noise, of_samples
        self.samples = 1 if noise is None else noise[0].shape[1]
        theirs = noise if target_noise is None else target_noise
        with torch.no_grad():
            self.targets = joined([self.posteriors(target[p], p, theirs) for p in parts(target, self.samples)])

    def posteriors(self, x: Tensor, pairs: Tensor, paths: Sequence[Tensor] | None) -> list[Normal]:
        """The attacked layers' posteriors of images (B, C, H, W) along paths of noise, flattened to (B·S, D)."""
        q, noise = encode_paths(self.model, x, paths, pairs)
        chosen = [(q[i].loc, q[i].scale, None if noise is None else noise[i]) for i in self.layers]
        return [
            Normal(
                (loc + scale * eps if self.of_samples and eps is not None else loc).flatten(1),
                scale.flatten(1),
                validate_args=False,
            )
            for loc, scale, eps in chosen
        ]

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """The divergence of distortions (B, n) of the given pairs (B,): (B,)."""
        x = self.source[pairs] + d.view(-1, *self.source.shape[1:])
        row = (pairs[:, None] * self.samples + torch.arange(self.samples, device=pairs.device)).flatten()
        total = d.new_zeros(len(row))
        for q, t in zip(self.posteriors(x, pairs, self.noise), self.targets, strict=True):
            total = total + self.divergence(q, Normal(t.loc[row], t.scale[row], validate_args=False))
        return total.view(-1, self.samples).mean(1)


def joined(batches: Sequence[Sequence[Normal]]) -> list[Normal]:
    """Layers' posteriors of several batches as those of one.

    Example:
        >>> [q.loc.shape for q in joined([[Normal(torch.zeros(2, 3), 1.0)], [Normal(torch.zeros(1, 3), 1.0)]])]
        [torch.Size([3, 3])]
    """
    return [
        Normal(torch.cat([q.loc for q in layer]), torch.cat([q.scale for q in layer]), validate_args=False)
        for layer in zip(*batches, strict=True)
    ]


def choose_layers(layers: Layers, depth: int, decoder_sees: str = "all") -> tuple[int, ...]:
    """Indices of the layers to attack.

    Args:
        layers: ``all``, ``bottom``, ``top`` or indices from 0, the bottom; None for all that the decoder sees.
        depth: number L of layers.
        decoder_sees: ``all``, or ``bottom`` for a decoder of z_1 alone.

    Raises:
        InputError: no such layer.

    Example:
        >>> choose_layers("all", 3), choose_layers("top", 3), choose_layers(None, 3, "bottom"), choose_layers([0, 2], 3)
        ((0, 1, 2), (2,), (0,), (0, 2))
    """
    named = {"all": range(depth), "bottom": range(1), "top": range(depth - 1, depth)}
    if layers is None:
        layers = decoder_sees
    if isinstance(layers, str):
        if layers not in named:
            raise InputError(
                f"layers {layers!r}: must be all, bottom, top, or indices from 0 (the bottom) to {depth - 1}"
            )
        return tuple(named[layers])
    chosen = tuple(layers)
    if not chosen or len(set(chosen)) != len(chosen) or any(i not in range(depth) for i in chosen):
        raise InputError(f"layers {list(chosen)}: must be different indices from 0 (the bottom) to {depth - 1}")
    return chosen
