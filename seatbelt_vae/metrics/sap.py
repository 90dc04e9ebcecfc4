"""SAP: how much better the best latent predicts a factor than the second best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError, missing
from seatbelt_vae.metrics.factors import as_classes, check_codes, check_factors

INACTIVE = 1e-12
"""Variance below which a latent predicts nothing."""

Classifier = Literal["thresholds", "svm"]


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


def sap(
    codes: Tensor,
    factors: Tensor,
    ordered: Sequence[int] = (),
    *,
    classifier: Classifier = "thresholds",
    seed: int = 0,
) -> SeparatedPredictability:
    r"""Separated attribute predictability. No unit, 0 to 1, higher is more disentangled.

    .. math:: \frac1F \sum_k \big(S_{j_1 k} - S_{j_2 k}\big)

    with :math:`S_{jk}` how well latent j alone predicts factor k, and j₁, j₂ the best two. For `ordered` factors S is
    the R² of a linear regression. For the others, whose numbers are only names, it is the balanced accuracy of a
    classifier on the half of the images that it was not fitted to. A factor has no order unless it is declared, so
    the score never depends on how categories are numbered. The paper's classifier puts thresholds on the latent.

    Args:
        codes: posterior means, shape (N, D).
        factors: value of each factor for each image, integers (N, F).
        ordered: the factors whose values are steps of a quantity; see `ordered_factors`.
        classifier: "thresholds" is a tree with a leaf per value. "svm" is the linear SVM of disentanglement_lib, one
            against the rest; with more than three values it cannot tell the middle ones of a perfect code apart.
        seed: of the halves.

    Raises:
        InputError: `codes` are not finite, `factors` is not an integer (N, F), no factor varies, `ordered` names a
            factor that is not there, or scikit-learn is not installed and a factor has no order.

    References:
        Kumar, Sattigeri & Balakrishnan 2018, Variational Inference of Disentangled Latent Concepts, section 3.

    Example:
        >>> factors = torch.cartesian_prod(torch.arange(5), torch.arange(5))
        >>> codes = factors.double() @ torch.tensor([[1.0, 0.0], [0.0, -2.0]]).double()
        >>> round(sap(codes, factors, ordered=[0, 1]).score, 6)
        1.0
    """
    codes = check_codes(codes)
    sizes = check_factors(factors, len(codes))
    factors = factors.cpu()
    for k in ordered:
        if not 0 <= k < len(sizes):
            raise InputError(f"ordered: there is no factor {k}; they are 0 to {len(sizes) - 1}")
    table = _determination(codes, factors.double())
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))
    fitted = order.argsort() < len(codes) // 2
    for k, size in enumerate(sizes):
        if size > 1 and k not in ordered:
            model = _classifier(classifier, size)
            table[:, k] = _balanced_accuracy(model, codes, factors[:, k], fitted)
    second = torch.zeros(1, len(sizes))  # should D be 1
    top = torch.cat([table, second]).topk(2, dim=0).values
    constant = torch.tensor(sizes) < 2
    gaps = (top[0] - top[1]).masked_fill(constant, torch.nan)
    return SeparatedPredictability(gaps, table)


def _determination(codes: Tensor, factors: Tensor) -> Tensor:
    """R² of every factor on every single latent, (D, F)."""
    codes = codes - codes.mean(0)
    factors = factors - factors.mean(0)
    scatter = codes.square().sum(0)[:, None] * factors.square().sum(0)
    active = (codes.square().mean(0) > INACTIVE)[:, None] & (scatter > 0)
    squared = (codes.T @ factors).square() / scatter.masked_fill(~active, 1.0)
    return squared.masked_fill(~active, 0.0)


def _classifier(classifier: Classifier, values: int) -> Any:
    try:
        from sklearn.svm import LinearSVC
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        raise missing("SAP of a factor without an order", "scikit-learn", "measure") from None
    if classifier == "thresholds":
        return DecisionTreeClassifier(max_leaf_nodes=values, class_weight="balanced", random_state=0)
    if classifier == "svm":
        return LinearSVC(C=0.01, class_weight="balanced", random_state=0)
    raise InputError(f"classifier {classifier!r} is unknown; choose 'thresholds' or 'svm'")


def _balanced_accuracy(model: Any, codes: Tensor, factor: Tensor, fitted: Tensor) -> Tensor:
    """Of predicting a factor without an order from one latent, for every latent, (D,)."""
    labels = as_classes(factor)
    held = labels[~fitted]
    frequency = torch.bincount(held)[held]
    accuracy = torch.zeros(codes.shape[1], dtype=torch.float64)
    for j in (codes.var(0) > INACTIVE).nonzero().squeeze(1).tolist():
        z = codes[:, j, None]
        model.fit(z[fitted].numpy(), labels[fitted].numpy())
        predicted = torch.from_numpy(model.predict(z[~fitted].numpy()))
        right = (predicted == held).double()
        accuracy[j] = (right / frequency).sum() / len(held.unique())
    return accuracy
