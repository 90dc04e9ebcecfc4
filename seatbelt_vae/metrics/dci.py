"""DCI: disentanglement, completeness and informativeness of a code."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError, missing
from seatbelt_vae.metrics.factors import as_classes, check_codes, check_factors

Regressor = Literal["forest", "boosting"]


@dataclass(frozen=True)
class DCI:
    """Three scores from 0 to 1, higher is better, and the importances they come from.

    Attributes:
        disentanglement: whether a latent matters for one factor only.
        completeness: whether a factor needs one latent only.
        informativeness: share of held-out factor values that are predicted right, averaged over factors.
        accuracy: the same for each factor that varies, (F,); compare with 1/|V_k|, which guessing reaches.
        importance: of latent j for factor k, (D, F); each column sums to 1.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    accuracy: Tensor
    importance: Tensor


def dci(
    codes: Tensor,
    factors: Tensor,
    *,
    regressor: Regressor = "forest",
    train: int = 10_000,
    test: int = 5_000,
    trees: int | None = None,
    seed: int = 0,
) -> DCI:
    r"""Disentanglement, completeness, informativeness. No unit, 0 to 1, higher is better.

    Trees predict each factor from the code. With :math:`R_{jk}` the importance of latent j for factor k (its share of
    the decrease in Gini impurity), and rows and columns normalised to probabilities,

    .. math:: D = \sum_j \rho_j \Big(1 - \frac{H(R_{j\cdot})}{\log F}\Big), \quad
        \rho_j = \frac{\sum_k R_{jk}}{\sum_{jk} R_{jk}}, \qquad
        C = \frac1F \sum_k \Big(1 - \frac{H(R_{\cdot k})}{\log D}\Big).

    With a single factor D is 1 by definition, with a single latent C is. Factors with one value are left out.

    Args:
        codes: posterior means, shape (N, D).
        factors: value of each factor for each image, integers (N, F).
        regressor: "forest" is a random forest of depth 12; "boosting" is scikit-learn's gradient boosting, as
            disentanglement_lib has it. Boosting grows a tree per value and round, and is slow.
        train: random images to fit on; when N is short, two thirds of them.
        test: other images to predict.
        trees: in each forest, 10 by default; rounds of boosting, 100 by default.
        seed: of the choice of images and of the trees.

    Raises:
        InputError: `codes` are not finite, `factors` is not an integer (N, F), no factor varies, or scikit-learn is
            not installed.

    References:
        Eastwood & Williams 2018, A Framework for the Quantitative Evaluation of Disentangled Representations.
        Locatello et al. 2019, Challenging Common Assumptions, appendix (boosting).

    Example:
        >>> factors = torch.randint(3, (600, 2), generator=torch.Generator().manual_seed(0))
        >>> round(dci(factors.double(), factors, trees=2).disentanglement, 2)
        1.0
    """
    codes = check_codes(codes)
    sizes = check_factors(factors, len(codes))
    factors = factors.cpu()
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))
    fitted = min(train, 2 * len(codes) // 3)
    seen = order[:fitted]
    held = order[fitted : fitted + test]
    columns = []
    accuracy = []
    for k, size in enumerate(sizes):
        if size < 2:
            continue
        labels = as_classes(factors[:, k]).numpy()
        trained = _ensemble(regressor, trees, seed).fit(codes[seen].numpy(), labels[seen])
        columns.append(torch.from_numpy(trained.feature_importances_))
        accuracy.append(trained.score(codes[held].numpy(), labels[held]))
    importance = torch.stack(columns, 1)
    return DCI(
        disentanglement=_one_sidedness(importance, importance.sum(1)),
        completeness=_one_sidedness(importance.T, torch.ones(len(columns), dtype=torch.float64)),
        informativeness=sum(accuracy) / len(accuracy),
        accuracy=torch.tensor(accuracy, dtype=torch.float64),
        importance=importance,
    )


def _ensemble(regressor: Regressor, trees: int | None, seed: int) -> Any:
    try:
        from sklearn import ensemble
    except ImportError:
        raise missing("DCI", "scikit-learn", "measure") from None
    if regressor == "boosting":
        return ensemble.GradientBoostingClassifier(n_estimators=trees or 100, random_state=seed)
    if regressor == "forest":
        return ensemble.RandomForestClassifier(
            n_estimators=trees or 10,
            max_depth=12,
            min_samples_leaf=4,
            max_features=None,
            random_state=seed,
        )
    raise InputError(f"regressor {regressor!r} is unknown; choose 'forest' or 'boosting'")


def _one_sidedness(rows: Tensor, weights: Tensor) -> float:
    """Weighted mean over rows of 1 − H(row)/log(length); a row of zeros counts as spread evenly."""
    length = rows.shape[1]
    if length == 1:
        return 1.0
    total = rows.sum(1, keepdim=True)
    empty = total == 0
    probability = torch.where(empty, 1 / length, rows / total.masked_fill(empty, 1.0))
    entropy = torch.special.entr(probability).sum(1) / math.log(length)
    return float((weights * (1 - entropy)).sum() / weights.sum().clamp(min=1e-300))
