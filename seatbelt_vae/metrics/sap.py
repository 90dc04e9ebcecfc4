"""SAP: how much better the best latent predicts a factor than the second best."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.metrics.forest import binned, quantile_edges
from seatbelt_vae.metrics.mig import check_factors

INACTIVE = 1e-12
"""Variance below which a latent predicts nothing."""


@dataclass(frozen=True)
class SeparatedPredictability:
    """The score is the mean gap, from 0 to 1, higher is better.

    Attributes:
        gaps: best minus second-best predictability of each factor, (F,); NaN for a factor with a single value.
        table: how well latent j alone predicts factor k, (D, F).
    """

    gaps: Tensor
    table: Tensor

    @property
    def score(self) -> float:
        """Mean gap over the factors that vary."""
        return float(self.gaps.nanmean())

    def __float__(self) -> float:
        return self.score


def sap(codes: Tensor, factors: Tensor, categorical: Sequence[int] = (), *, seed: int = 0) -> SeparatedPredictability:
    r"""Separated attribute predictability. No unit, 0 to 1, higher is more disentangled.

    .. math:: \frac1F \sum_k \big(S_{j_1 k} - S_{j_2 k}\big)

    with :math:`S_{jk}` how well latent j alone predicts factor k, and j₁, j₂ the best two. For factors with an order,
    S is the R² of a linear regression (the paper's choice for them). For `categorical` ones it is the balanced
    accuracy, on the half of the images that was not fitted, of the best class in each of 64 quantile bins of the
    latent: thresholds on a single latent, as in the paper, but fitted exactly and not by an SVM.

    Args:
        codes: posterior means, shape (N, D).
        factors: value of each factor for each image, integers (N, F).
        categorical: the factors without an order, such as the shape of dSprites.
        seed: of the halves.

    Raises:
        InputError: `factors` is not an integer (N, F), or no factor varies.

    References:
        Kumar, Sattigeri & Balakrishnan 2018, Variational Inference of Disentangled Latent Concepts, section 3.

    Example:
        >>> factors = torch.cartesian_prod(torch.arange(5), torch.arange(5))
        >>> round(sap(factors.double() @ torch.tensor([[1.0, 0.0], [0.0, -2.0]]).double(), factors).score, 6)
        1.0
    """
    sizes = check_factors(factors, len(codes))
    codes, factors = codes.detach().double().cpu(), factors.cpu()
    table = _determination(codes, factors.double())
    half = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed)).argsort() < len(codes) // 2
    for k in categorical:
        table[:, k] = _balanced_accuracy(codes, factors[:, k], half)
    gap = torch.cat([table, torch.zeros(1, table.shape[1])]).topk(2, dim=0).values.diff(dim=0).neg()[0]
    varies = torch.tensor(sizes) > 1
    return SeparatedPredictability(gap.masked_fill(~varies, float("nan")), table)


def _determination(codes: Tensor, factors: Tensor) -> Tensor:
    """R² of every factor on every single latent, (D, F)."""
    codes, factors = codes - codes.mean(0), factors - factors.mean(0)
    scatter = codes.square().sum(0)[:, None] * factors.square().sum(0)
    active = (codes.square().mean(0) > INACTIVE)[:, None] & (scatter > 0)
    return torch.where(active, (codes.T @ factors).square() / scatter.masked_fill(~active, 1.0), 0.0)


def _balanced_accuracy(codes: Tensor, factor: Tensor, fitted: Tensor, bins: int = 64) -> Tensor:
    """Of predicting a categorical factor from the bin of one latent, for every latent, (D,)."""
    labels = factor.unique(return_inverse=True)[1]
    classes = int(labels.max()) + 1
    table = binned(codes, quantile_edges(codes[fitted], bins))
    accuracy = torch.zeros(codes.shape[1], dtype=torch.float64)
    for j in (codes.var(0) > INACTIVE).nonzero().squeeze(1).tolist():
        fit, check = (_class_shares(table[some, j], labels[some], bins, classes) for some in (fitted, ~fitted))
        accuracy[j] = check.gather(1, fit.argmax(1, keepdim=True)).sum() / classes
    return accuracy


def _class_shares(bin_: Tensor, labels: Tensor, bins: int, classes: int) -> Tensor:
    """Share of each class's examples that lies in each bin, (bins, V)."""
    counts = torch.bincount(bin_ * classes + labels, minlength=bins * classes).reshape(bins, classes).double()
    return counts / counts.sum(0).clamp(min=1)
