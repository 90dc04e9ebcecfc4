"""DCI: disentanglement, completeness and informativeness of a code."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.metrics.forest import fit_forest
from seatbelt_vae.metrics.mig import check_factors


@dataclass(frozen=True)
class DCI:
    """Three scores from 0 to 1, higher is better, and the importances they come from.

    Attributes:
        disentanglement: whether a latent matters for one factor only.
        completeness: whether a factor needs one latent only.
        informativeness: share of held-out factor values that are predicted right, averaged over factors.
        accuracy: the same for each factor, (F,); compare with 1/|V_k|, which guessing reaches.
        importance: of latent j for factor k, (D, F); each column sums to 1.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    accuracy: Tensor
    importance: Tensor


def dci(
    codes: Tensor, factors: Tensor, *, train: int = 10_000, test: int = 5_000, trees: int = 10, seed: int = 0
) -> DCI:
    r"""Disentanglement, completeness, informativeness. No unit, 0 to 1, higher is better.

    A random forest (:mod:`seatbelt_vae.metrics.forest`; Gini importances) predicts each factor from the code. With
    :math:`R_{jk}` the importance of latent j for factor k and rows and columns normalised to probabilities,

    .. math:: D = \sum_j \rho_j \Big(1 - \frac{H(R_{j\cdot})}{\log F}\Big), \quad
        \rho_j = \frac{\sum_k R_{jk}}{\sum_{jk} R_{jk}}, \qquad
        C = \frac1F \sum_k \Big(1 - \frac{H(R_{\cdot k})}{\log D}\Big).

    With a single factor D is 1 by definition, with a single latent C is. Factors with one value are left out.

    Args:
        codes: posterior means, shape (N, D).
        factors: value of each factor for each image, integers (N, F).
        train: random images to fit on; when N is short, two thirds of them.
        test: other images to predict.
        trees: in each forest.
        seed: of the choice of images and of the forests.

    Raises:
        InputError: `factors` is not an integer (N, F), or no factor varies.

    References:
        Eastwood & Williams 2018, A Framework for the Quantitative Evaluation of Disentangled Representations.

    Example:
        >>> factors = torch.randint(3, (600, 2), generator=torch.Generator().manual_seed(0))
        >>> round(dci(factors.double(), factors, trees=2).disentanglement, 2)
        1.0
    """
    sizes = check_factors(factors, len(codes))
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))
    fitted = min(train, 2 * len(codes) // 3)
    seen, held = order[:fitted], order[fitted : fitted + test]
    codes, factors = codes.detach().cpu(), factors.cpu()
    columns, accuracy = [], []
    for k in [k for k, size in enumerate(sizes) if size > 1]:
        labels = factors[:, k].unique(return_inverse=True)[1]
        forest = fit_forest(codes[seen], labels[seen], trees=trees, seed=seed)
        columns.append(forest.importance)
        accuracy.append((forest.predict(codes[held]) == labels[held]).double().mean())
    importance = torch.stack(columns, 1)
    return DCI(
        disentanglement=_one_sidedness(importance, importance.sum(1)),
        completeness=_one_sidedness(importance.T, torch.ones(len(columns), dtype=torch.float64)),
        informativeness=float(torch.stack(accuracy).mean()),
        accuracy=torch.stack(accuracy),
        importance=importance,
    )


def _one_sidedness(rows: Tensor, weights: Tensor) -> float:
    """Weighted mean over rows of 1 − H(row)/log(length); a row of zeros counts as spread evenly."""
    length = rows.shape[1]
    if length == 1:
        return 1.0
    empty = rows.sum(1, keepdim=True) == 0
    probability = torch.where(empty, 1 / length, rows / rows.sum(1, keepdim=True).masked_fill(empty, 1.0))
    entropy = torch.special.entr(probability).sum(1) / torch.log(torch.tensor(float(length)))
    return float((weights * (1 - entropy)).sum() / weights.sum().clamp(min=1e-300))
