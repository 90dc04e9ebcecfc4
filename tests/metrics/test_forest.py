import numpy as np
import pytest
import torch

from seatbelt_vae.metrics.forest import _grow, binned, fit_forest, quantile_edges


def gini(labels):
    counts = np.bincount(labels)
    return len(labels) - (counts**2).sum() / max(len(labels), 1)


def plain_tree(table, labels, depth, smallest_leaf, importance):
    """Recursive, one candidate split at a time; gives the class counts that each example is predicted from."""
    best = (1e-4, None, None)
    for d in range(table.shape[1]):
        for threshold in np.unique(table[:, d]):
            left = table[:, d] <= threshold
            if min(left.sum(), (~left).sum()) >= smallest_leaf:
                gain = gini(labels) - gini(labels[left]) - gini(labels[~left])
                if gain > best[0] * (1 + 1e-6) + 1e-9:
                    best = (gain, d, left)
    gain, d, left = best
    counts = np.tile(np.bincount(labels, minlength=3), (len(labels), 1))
    if depth == 0 or d is None:
        return counts
    importance[d] += gain
    for side in (left, ~left):
        counts[side] = plain_tree(table[side], labels[side], depth - 1, smallest_leaf, importance)
    return counts


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_tree_is_the_plain_one(depth):
    generator = torch.Generator().manual_seed(depth)
    table = torch.randint(8, (120, 3), generator=generator)
    labels = ((table[:, 0] * table[:, 1]) % 3 + (torch.rand(120, generator=generator) < 0.1)).long() % 3
    tree = _grow(table, labels, classes=3, bins=8, depth=depth, smallest_leaf=4)
    importance = np.zeros(3)
    counts = plain_tree(table.numpy(), labels.numpy(), depth, 4, importance)
    assert tree.importance.numpy() == pytest.approx(importance)
    assert (tree.counts[tree.leaves(table)].numpy() == counts).all()


def test_bins_hold_equally_many_and_split_every_value_of_a_discrete_code():
    smooth = torch.randn(6400, 2, generator=torch.Generator().manual_seed(0))
    bins = binned(smooth, quantile_edges(smooth, 64))
    assert bins.min() == 0
    assert bins.max() == 63
    assert (bins[:, 0].bincount() == 100).all()
    discrete = torch.arange(40).repeat(50)[:, None].float()
    assert len(binned(discrete, quantile_edges(discrete, 64)).unique()) == 40


def test_forest_predicts_what_it_was_not_shown():
    generator = torch.Generator().manual_seed(0)
    codes = torch.rand(3000, 4, generator=generator)
    labels = ((codes[:, 1] * 4).long() + (codes[:, 3] * 2).long()) % 4
    forest = fit_forest(codes[:2000], labels[:2000])
    assert (forest.predict(codes[2000:]) == labels[2000:]).double().mean() > 0.93
    assert forest.importance.sum().item() == pytest.approx(1)
    assert forest.importance[[0, 2]].sum() < 0.1


def test_constant_labels_have_no_importance():
    forest = fit_forest(torch.rand(50, 2), torch.zeros(50, dtype=torch.long), trees=2)
    assert forest.importance.tolist() == [0.0, 0.0]
    assert forest.predict(torch.rand(3, 2)).tolist() == [0, 0, 0]
