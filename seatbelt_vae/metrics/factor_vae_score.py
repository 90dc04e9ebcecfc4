"""The FactorVAE score: which latent stands still when one factor does."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.factors import check_codes, check_factors


@dataclass(frozen=True)
class FactorVAEScore:
    """How often the latent that stands still names the factor that does.

    Attributes:
        score: accuracy on fresh votes, 1/F (guessing) to 1, higher is better.
        votes: that were fitted, (D, F).
        left_out: images whose value of a factor no other image has, (F,); they enter no vote for it.
    """

    score: float
    votes: Tensor
    left_out: Tensor

    def __float__(self) -> float:
        return self.score


def factor_vae_score(
    codes: Tensor,
    factors: Tensor,
    *,
    votes: int = 800,
    batch_size: int = 64,
    inactive: float = 0.05,
    seed: int = 0,
) -> FactorVAEScore:
    """Accuracy of the majority vote of latents for factors. No unit, 1/F (guessing) to 1, higher is better.

    A vote: fix one factor at one value, take images with it, and name the latent whose variance among them, over
    its variance in the data, is smallest. The classifier sends each latent to the factor it got most votes for;
    its accuracy is measured on as many fresh votes. Latents that hardly vary are left out; without any left the
    score is 0. Values with a single image are left out: copies of one image have no variance.

    Args:
        codes: posterior means, shape (N, D).
        factors: value of each factor for each image, integers (N, F); those with one value are left out.
        votes: to fit, and again to measure.
        batch_size: images in a vote, drawn with replacement.
        inactive: variance of the mean under which a latent is left out (its prior has variance 1).
        seed: of the votes.

    Raises:
        InputError: `codes` are not finite, `factors` is not an integer (N, F), no factor varies, fewer than two
            values of one have two images, or `votes` or `batch_size` is too small.

    References:
        Kim & Mnih 2018, Disentangling by Factorising, section 4. Locatello et al. 2019 for the variance cut.

    Example:
        >>> factors = torch.cartesian_prod(*[torch.arange(4)] * 3)
        >>> factor_vae_score(factors.double(), factors, votes=100).score
        1.0
    """
    if votes < 1 or batch_size < 2:
        raise InputError(f"votes {votes} and batch_size {batch_size}: at least 1 and 2 are needed")
    codes = check_codes(codes)
    sizes = check_factors(factors, len(codes))
    factors = factors.cpu()
    varying = [k for k, size in enumerate(sizes) if size > 1]
    left_out = torch.tensor([_images_alone(factor) for factor in factors.T])
    for k in varying:
        if sizes[k] - left_out[k] < 2:
            raise InputError(f"factors: fewer than two values of factor {k} have two images; leave this factor out")
    variance = codes.var(0)
    active = (variance > inactive).nonzero().squeeze(1)
    counts = torch.zeros(2, codes.shape[1], factors.shape[1], dtype=torch.long)
    if len(active) == 0:
        return FactorVAEScore(0.0, counts[0], left_out)
    scaled = codes[:, active] / variance[active].sqrt()
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.tensor(varying)[torch.randint(len(varying), (2, votes), generator=generator)]
    for k in varying:
        for part in range(2):
            mine = int((chosen[part] == k).sum())
            if mine == 0:
                continue
            rows = _fixed_batches(factors[:, k], mine, batch_size, generator)
            still = active[scaled[rows].var(1).argmin(-1)]  # the latent named by each vote
            counts[part, :, k] += torch.bincount(still, minlength=codes.shape[1])
    named = counts[0].argmax(1, keepdim=True)
    right = counts[1].gather(1, named).sum()
    return FactorVAEScore(float(right) / votes, counts[0], left_out)


def _images_alone(factor: Tensor) -> int:
    """How many images have a value that no other image has."""
    counts = factor.unique(return_counts=True)[1]
    return int((counts == 1).sum())


def _fixed_batches(factor: Tensor, count: int, batch_size: int, generator: torch.Generator) -> Tensor:
    """Rows of images that share a random value of one factor, (count, batch_size)."""
    order = factor.argsort(stable=True)
    sizes = factor.unique(return_counts=True)[1]
    starts = sizes.cumsum(0) - sizes
    several = sizes > 1
    sizes = sizes[several]
    starts = starts[several]
    value = torch.randint(len(sizes), (count, 1), generator=generator)
    offset = torch.rand(count, batch_size, generator=generator, dtype=torch.float64) * sizes[value]
    return order[starts[value] + offset.long()]
