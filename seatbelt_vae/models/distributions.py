"""Two pixel distributions that torch does not have, or has only for moderate parameters."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Distribution, constraints

SERIES_BELOW = 0.2
"""|η| / 2 under which the continuous Bernoulli's functions are summed as series: there the closed forms cancel."""


class ContinuousBernoulli(Distribution):
    r"""The Bernoulli's log-likelihood with its normaliser on [0, 1], exact for any logit η.

    .. math:: \log p(x) = \eta (x - \tfrac12) - \log \frac{\sinh a}{a}, \qquad
        E x = \tfrac12 + \tfrac12 \Big(\coth a - \frac1a\Big) \operatorname{sign} \eta, \qquad a = |\eta| / 2

    torch's distribution of this name clamps the probability at machine precision in its normaliser but not in its
    exponent, so in float32 it integrates to 0.32 at η = 50: a decoder that is sure of a pixel would be undervalued.

    Args:
        logits: η, of any shape, which is the batch shape.

    References:
        Loaiza-Ganem & Cunningham 2019, The continuous Bernoulli: fixing a pervasive error in VAEs.

    Example:
        >>> ContinuousBernoulli(torch.tensor([0.0, 50.0])).mean
        tensor([0.5000, 0.9800])
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012  (torch's own convention)

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        super().__init__(logits.shape, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density in nats at values in [0, 1], of the batch shape."""
        a = self.logits.abs() / 2
        far = a.clamp(min=SERIES_BELOW)  # keeps the gradient of the branch that is not taken finite
        closed = far + torch.log(-torch.expm1(-2 * far)) - torch.log(2 * far)
        s = a.square()
        series = s / 6 - s**2 / 180 + s**3 / 2835 - s**4 / 37800 + s**5 / 467775
        return self.logits * (value - 0.5) - torch.where(a < SERIES_BELOW, series, closed)

    @property
    def mean(self) -> Tensor:
        """E x, of the batch shape."""
        a = self.logits / 2
        far = torch.where(a.abs() < SERIES_BELOW, torch.ones_like(a), a)
        s = a.square()
        series = a * (1 / 3 - s / 45 + 2 * s**2 / 945 - s**3 / 4725 + 2 * s**4 / 93555)
        return 0.5 + 0.5 * torch.where(a.abs() < SERIES_BELOW, series, 1 / torch.tanh(far) - 1 / far)


class DiscretisedLogisticMixture(Distribution):
    r"""A mixture of logistics over the 256 grey levels k/255, per pixel and channel.

    .. math:: P(k) = \sum_m \pi_m \left[ \sigma\Big(\tfrac{k + 1/2 - 255\mu_m}{255 s_m}\Big)
        - \sigma\Big(\tfrac{k - 1/2 - 255\mu_m}{255 s_m}\Big) \right]

    with the outer bins open, so that the 256 levels sum to 1.

    Args:
        logits: log π up to a constant, (B, M, C, H, W).
        loc: μ in units of [0, 1], same shape.
        log_scale: log s, same shape.

    References:
        Salimans et al. 2017, PixelCNN++.

    Example:
        >>> zeros = torch.zeros(1, 2, 1, 1, 1)
        >>> levels = torch.arange(256.).view(256, 1, 1, 1) / 255
        >>> DiscretisedLogisticMixture(zeros, zeros + 0.3, zeros - 2).log_prob(levels).exp().sum()
        tensor(1.0000)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012  (torch's own convention)
    levels = 256

    def __init__(self, logits: Tensor, loc: Tensor, log_scale: Tensor) -> None:
        self.log_weights = logits.log_softmax(dim=1)
        self.loc = loc
        self.log_scale = log_scale
        super().__init__(loc.shape[:1], loc.shape[2:], validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of images with values k/255, (B,) in nats; other values are taken to the bin around them."""
        half = 0.5 / (self.levels - 1)
        x = value.unsqueeze(1)
        inverse = (-self.log_scale).exp()
        upper = (x + half - self.loc) * inverse
        lower = (x - half - self.loc) * inverse
        # σ(u) − σ(l) = σ(u) σ(−l) (1 − e^{l−u}) keeps its digits in both tails; l − u is not left to a subtraction.
        inside = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-2 * half * inverse))
        below_white = torch.where(x > 1 - half, F.logsigmoid(-lower), inside)
        log_bin = torch.where(x < half, F.logsigmoid(upper), below_white)
        return torch.logsumexp(self.log_weights + log_bin, dim=1).flatten(1).sum(1)

    @property
    def mean(self) -> Tensor:
        """E x within half a grey level: the integral of P(X > t) over [0, 1], for which the 255 bins are a sum."""
        scale = self.log_scale.exp()
        clipped = scale * (F.softplus(self.loc / scale) - F.softplus((self.loc - 1) / scale))
        return (self.log_weights.exp() * clipped).sum(1)
