"""Downstream accuracy: what a classifier on the latents still reads, from clean and from attacked images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError, missing
from seatbelt_vae.metrics.factors import check_codes

ITERATIONS = 1000
"""Of the fit at most."""


@dataclass(frozen=True, eq=False)
class Readout:
    r"""A linear classifier of codes: :math:`\text{logits}(z) = W z + b`.

    Attributes:
        weight: W, one row for each class, (C, D).
        bias: b, (C,).
        classes: the labels in the order of the rows, (C,).
    """

    weight: Tensor
    bias: Tensor
    classes: Tensor

    def logits(self, codes: Tensor) -> Tensor:
        """Of codes (N, D): (N, C); differentiable in them."""
        return codes @ self.weight.to(codes).T + self.bias.to(codes)

    def margin(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The label's logit minus the largest other, (N,): above 0 where the label is read right.

        Raises:
            InputError: a label that the classifier has not seen.

        Example:
            >>> readout = Readout(torch.tensor([[-1.0], [1.0]]), torch.zeros(2), torch.tensor([0, 1]))
            >>> readout.margin(torch.tensor([[3.0], [3.0]]), torch.tensor([1, 0]))
            tensor([ 6., -6.])
        """
        own = labels[:, None] == self.classes.to(labels)
        if not bool(own.any(1).all()):
            raise InputError(f"labels: the classifier has seen only {self.classes.tolist()}")
        logits = self.logits(codes)
        others = logits.masked_fill(own, -torch.inf).amax(1)
        return logits.masked_fill(~own, 0.0).sum(1) - others

    def accuracy(self, codes: Tensor, labels: Tensor) -> float:
        """Share of codes (N, D) whose label (N,) is read right; a tie is wrong."""
        return float((self.margin(codes, labels) > 0).double().mean())


def fit_readout(codes: Tensor, labels: Tensor, *, strength: float = 1.0) -> Readout:
    """Fit a logistic classifier to posterior means.

    Each latent is brought to mean 0 and variance 1 for the fit; the classifier returned takes the codes as they are.

    Args:
        codes: posterior means, (N, D).
        labels: the class of each image, integers, (N,).
        strength: inverse of the weights' penalty, scikit-learn's C.

    Raises:
        InputError: codes that are not finite, labels that are no integers or all the same, no scikit-learn.

    Example:
        >>> codes = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]])
        >>> fit_readout(codes, torch.tensor([0, 0, 1, 1])).accuracy(codes, torch.tensor([0, 0, 1, 1]))
        1.0
    """
    codes = check_codes(codes)
    if labels.shape != codes.shape[:1] or labels.is_floating_point():
        raise InputError(f"labels of shape {tuple(labels.shape)}, {labels.dtype}: needs {len(codes)} integers")
    classes = labels.unique()
    if len(classes) < 2:
        raise InputError("labels: all the same; needs two classes or more")
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise missing("a readout of latents", "scikit-learn", "measure") from None
    mean = codes.mean(0)
    scale = codes.std(0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=strength, max_iter=ITERATIONS)
    model.fit(((codes - mean) / scale).numpy(), labels.cpu().numpy())
    weight = torch.as_tensor(model.coef_) / scale
    bias = torch.as_tensor(model.intercept_) - weight @ mean
    if len(classes) == 2:  # scikit-learn gives one row, the logit of the second class over the first
        weight = torch.cat([-weight, weight]) / 2
        bias = torch.cat([-bias, bias]) / 2
    return Readout(weight, bias, classes.cpu())
