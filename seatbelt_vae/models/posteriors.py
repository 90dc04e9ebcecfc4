"""Approximate posteriors q(z_1, …, z_L | x): how information climbs from the image to the top latent.

Each is a module ``posterior(x, noise, generative) -> (q, z)``, bottom layer first. `noise` holds one standard normal
(B, D_l) per layer, and z_l = loc + scale · noise_l is passed on; None passes the means on, which makes the encoding a
deterministic function of the image. (B·S, D_l) of noise are S draws for each image, one after the other. Only the
top-down ones ask the generative model for anything.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae.models.generative import Generative

Noise = Sequence[Tensor]
Layers = tuple[tuple[Normal, ...], tuple[Tensor, ...]]


def draw(q: Normal, noise: Tensor | None) -> Tensor:
    """The reparameterised sample loc + scale · noise, or the mean where there is no noise."""
    if noise is None:
        return q.loc
    return q.loc + q.scale * noise


def features_of(features: nn.Module, x: Tensor, noise: Noise | None) -> Tensor:
    """The features of each image, as often in a row as there are draws of noise for it."""
    h: Tensor = features(x)
    if noise is None or len(noise[0]) == len(h):
        return h
    return h.repeat_interleave(len(noise[0]) // len(h), dim=0)


def layer_noise(noise: Noise | None, layer: int) -> Tensor | None:
    """One layer's noise, None where means are propagated."""
    if noise is None:
        return None
    return noise[layer]


class Chain(nn.Module):
    r"""The paper's posterior: each latent is read off the one below.

    .. math:: q(z_1|x) \prod_{l<L} q(z_{l+1}|z_l) \quad\text{or, seeing } x\text{:}\quad
        q(z_1|x) \prod_{l<L} q(z_{l+1}|z_l, x)

    Args:
        features: image → (B, F).
        conditionals: q(z_1|features), then q(z_{l+1}|z_l) or q(z_{l+1}|z_l, features).
        sees_x: the upper conditionals see the features too (``chain-x``).

    References:
        Willetts et al. 2020 (chain) and 2021 (chain-x).
    """

    def __init__(self, features: nn.Module, conditionals: Sequence[nn.Module], sees_x: bool = False) -> None:
        super().__init__()
        self.features = features
        self.conditionals = nn.ModuleList(conditionals)
        self.sees_x = sees_x

    def forward(self, x: Tensor, noise: Noise | None, generative: Generative) -> Layers:
        """Return posteriors and samples, bottom first."""
        h = features_of(self.features, x, noise)
        q = [self.conditionals[0](h)]
        z = [draw(q[0], layer_noise(noise, 0))]
        for layer in range(1, len(self.conditionals)):
            context = z[-1]
            if self.sees_x:
                context = torch.cat([context, h], dim=-1)
            q.append(self.conditionals[layer](context))
            z.append(draw(q[-1], layer_noise(noise, layer)))
        return tuple(q), tuple(z)


def precision_weighted(a: Normal, b: Normal) -> Normal:
    r"""The normalised product of two Gaussians.

    .. math:: \sigma^{-2} = \sigma_a^{-2} + \sigma_b^{-2}, \qquad
        \mu = \sigma^2 (\mu_a \sigma_a^{-2} + \mu_b \sigma_b^{-2})

    References:
        Sønderby et al. 2016, Ladder Variational Autoencoders, equations 17–19.

    Example:
        >>> q = precision_weighted(Normal(torch.zeros(1), 1.0), Normal(torch.ones(1), 1.0))
        >>> q.loc, q.scale**2
        (tensor([0.5000]), tensor([0.5000]))
    """
    precision_a = a.scale**-2
    precision_b = b.scale**-2
    variance = 1 / (precision_a + precision_b)
    loc = variance * (a.loc * precision_a + b.loc * precision_b)
    return Normal(loc, variance.sqrt(), validate_args=False)


class Ladder(nn.Module):
    r"""The Ladder VAE's posterior: a deterministic climb, then down with the prior.

    .. math:: d_0 = \text{features}(x),\; d_l = f_l(d_{l-1}), \qquad q(z_L|x) = N(d_L), \qquad
        q(z_l|z_{l+1}, x) \propto N(d_l) \; p(z_l|z_{l+1})

    Args:
        features: image → (B, F).
        climb: f_1 … f_L.
        conditionals: one per layer, d_l → N.

    References:
        Sønderby et al. 2016, Ladder Variational Autoencoders.
    """

    def __init__(self, features: nn.Module, climb: Sequence[nn.Module], conditionals: Sequence[nn.Module]) -> None:
        super().__init__()
        self.features = features
        self.climb = nn.ModuleList(climb)
        self.conditionals = nn.ModuleList(conditionals)

    def forward(self, x: Tensor, noise: Noise | None, generative: Generative) -> Layers:
        """Return posteriors and samples, bottom first."""
        d = climbed(features_of(self.features, x, noise), self.climb)
        q = [self.conditionals[-1](d[-1])]
        z = [draw(q[0], layer_noise(noise, len(d) - 1))]
        for layer in reversed(range(len(d) - 1)):
            likelihood = self.conditionals[layer](d[layer])
            q.insert(0, precision_weighted(likelihood, generative.prior(layer, z)))
            z.insert(0, draw(q[0], layer_noise(noise, layer)))
        return tuple(q), tuple(z)


class TopDown(nn.Module):
    r"""A top-down posterior without weighting, which the paper's authors tried in a Seatbelt-VAE.

    .. math:: q(z_L|x) \prod_{l<L} q(z_l|z_{l+1}, x)

    Args:
        features: image → (B, F).
        climb: f_1 … f_L with d_l = f_l(d_{l-1}).
        conditionals: (d_l, z_{l+1}) → N for l < L, and d_L → N for the top.
    """

    def __init__(self, features: nn.Module, climb: Sequence[nn.Module], conditionals: Sequence[nn.Module]) -> None:
        super().__init__()
        self.features = features
        self.climb = nn.ModuleList(climb)
        self.conditionals = nn.ModuleList(conditionals)

    def forward(self, x: Tensor, noise: Noise | None, generative: Generative) -> Layers:
        """Return posteriors and samples, bottom first."""
        d = climbed(features_of(self.features, x, noise), self.climb)
        q = [self.conditionals[-1](d[-1])]
        z = [draw(q[0], layer_noise(noise, len(d) - 1))]
        for layer in reversed(range(len(d) - 1)):
            q.insert(0, self.conditionals[layer](torch.cat([d[layer], z[0]], dim=-1)))
            z.insert(0, draw(q[0], layer_noise(noise, layer)))
        return tuple(q), tuple(z)


class Bidirectional(nn.Module):
    r"""BIVA's posterior: half of every layer but the top is drawn on the way up, half on the way down.

    .. math:: z_l = (z_l^{\uparrow}, z_l^{\downarrow}), \qquad
        d_l = f_l(d_{l-1}, z_{l-1}^{\uparrow}), \quad
        q(z_l^{\uparrow}|x, z_{<l}^{\uparrow}) = N(d_l), \quad
        q(z_l^{\downarrow}|x, z^{\uparrow}, z_{>l}) = N(d_l, z_{>l})

    Given its context each layer is still one diagonal Gaussian: the two halves side by side.

    Args:
        features: image → (B, F).
        climb: f_1 … f_L; f_{l+1} reads (d_l, z_l↑).
        up: d_l → N of the upward half (the whole of the top layer).
        down: (d_l, z_{l+1}, …, z_L) → N of the downward half, for l < L.

    References:
        Maaløe et al. 2019, BIVA: a very deep hierarchy of latent variables.
    """

    def __init__(
        self,
        features: nn.Module,
        climb: Sequence[nn.Module],
        up: Sequence[nn.Module],
        down: Sequence[nn.Module],
    ) -> None:
        super().__init__()
        self.features = features
        self.climb = nn.ModuleList(climb)
        self.up = nn.ModuleList(up)
        self.down = nn.ModuleList(down)

    def forward(self, x: Tensor, noise: Noise | None, generative: Generative) -> Layers:
        """Return posteriors and samples, bottom first."""
        q_up, z_up, d = self._climb_up(x, noise)
        q = [q_up[-1]]
        z = [z_up[-1]]
        for layer in reversed(range(len(self.down))):
            q_down = self.down[layer](torch.cat([d[layer], *z], dim=-1))
            eps = layer_noise(noise, layer)
            if eps is not None:
                eps = eps[:, z_up[layer].shape[-1] :]
            q.insert(0, side_by_side(q_up[layer], q_down))
            z.insert(0, torch.cat([z_up[layer], draw(q_down, eps)], dim=-1))
        return tuple(q), tuple(z)

    def _climb_up(self, x: Tensor, noise: Noise | None) -> tuple[list[Normal], list[Tensor], list[Tensor]]:
        """The upward halves, their samples, and the deterministic path."""
        d = [self.climb[0](features_of(self.features, x, noise))]
        q_up: list[Normal] = []
        z_up: list[Tensor] = []
        for layer, head in enumerate(self.up):
            q_up.append(head(d[-1]))
            eps = layer_noise(noise, layer)
            if eps is not None:
                eps = eps[:, : q_up[-1].loc.shape[-1]]
            z_up.append(draw(q_up[-1], eps))
            if layer + 1 < len(self.climb):
                d.append(self.climb[layer + 1](torch.cat([d[-1], z_up[-1]], dim=-1)))
        return q_up, z_up, d


def climbed(h: Tensor, climb: nn.ModuleList) -> list[Tensor]:
    """The deterministic path d_1 … d_L from the features, bottom first."""
    d: list[Tensor] = []
    for step in climb:
        h = step(h)
        d.append(h)
    return d


def side_by_side(a: Normal, b: Normal) -> Normal:
    """Two independent Gaussians over disjoint dimensions as one."""
    loc = torch.cat([a.loc, b.loc], dim=-1)
    scale = torch.cat([a.scale, b.scale], dim=-1)
    return Normal(loc, scale, validate_args=False)
