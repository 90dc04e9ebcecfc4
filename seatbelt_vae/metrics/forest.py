"""A small random forest for classification, on quantile bins: what DCI asks which latents a factor needs."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tree:
    """A binary tree: node n sends codes with ``bin[feature] <= threshold`` to ``child``, the others to ``child + 1``.

    Attributes:
        feature: (nodes,) the dimension that a node asks for.
        threshold: (nodes,) the last bin that goes left.
        child: (nodes,) the left child, or -1 for a leaf.
        counts: (nodes, V) training examples of each class.
        importance: (D,) decrease of Gini impurity by each dimension.
    """

    feature: Tensor
    threshold: Tensor
    child: Tensor
    counts: Tensor
    importance: Tensor

    def leaves(self, bins: Tensor) -> Tensor:
        """The leaf that each binned code (n, D) falls into, (n,)."""
        node = torch.zeros(len(bins), dtype=torch.long)
        while (self.child[node] >= 0).any():
            right = bins.gather(1, self.feature[node, None]).squeeze(1) > self.threshold[node]
            node = torch.where(self.child[node] >= 0, self.child[node] + right, node)
        return node


@dataclass(frozen=True)
class Forest:
    """Trees grown on resamples of the same data, and the edges that bin it, (D, bins − 1)."""

    trees: tuple[Tree, ...]
    edges: Tensor

    @property
    def importance(self) -> Tensor:
        """Share of the decrease in Gini impurity owed to each dimension, (D,): sums to 1, or is 0 without a split."""
        total = torch.stack([tree.importance for tree in self.trees]).sum(0)
        return total / total.sum().clamp(min=1e-300)

    def predict(self, codes: Tensor) -> Tensor:
        """The most probable class of each code (n, D), averaged over the trees, (n,)."""
        bins = binned(codes, self.edges)
        share = [tree.counts / tree.counts.sum(1, keepdim=True).clamp(min=1) for tree in self.trees]
        votes = sum(share[t][tree.leaves(bins)] for t, tree in enumerate(self.trees))
        assert isinstance(votes, Tensor)
        return votes.argmax(1)


def fit_forest(
    codes: Tensor,
    labels: Tensor,
    *,
    trees: int = 10,
    depth: int = 12,
    smallest_leaf: int = 4,
    bins: int = 64,
    seed: int = 0,
) -> Forest:
    """Grow a forest by Gini impurity; every split may use every dimension, every tree sees a bootstrap resample.

    Args:
        codes: (N, D).
        labels: classes 0 … V − 1, (N,).
        trees: how many.
        depth: most questions from root to leaf.
        smallest_leaf: fewest examples on either side of a split.
        bins: quantile bins of each dimension; splits fall between bins.
        seed: of the resamples.

    References:
        Breiman 2001, Random Forests.

    Example:
        >>> codes = torch.rand(300, 3, generator=torch.Generator().manual_seed(0))
        >>> forest = fit_forest(codes, (codes[:, 1] > 0.5).long(), trees=3)
        >>> bool(forest.importance[1] > 0.9)
        True
    """
    edges = quantile_edges(codes, bins)
    table, classes = binned(codes, edges), int(labels.max()) + 1
    generator = torch.Generator().manual_seed(seed)
    grown = []
    for _ in range(trees):
        draw = torch.randint(len(codes), (len(codes),), generator=generator)
        grown.append(_grow(table[draw], labels[draw], classes, bins, depth, smallest_leaf))
    return Forest(tuple(grown), edges)


def quantile_edges(codes: Tensor, bins: int) -> Tensor:
    """Inner edges of bins that hold equally many codes, per dimension: (D, bins − 1)."""
    ordered = codes.detach().double().sort(0).values
    position = (torch.arange(1, bins) * len(codes) / bins).long().clamp(max=len(codes) - 1)
    return ordered[position].T.contiguous()


def binned(codes: Tensor, edges: Tensor) -> Tensor:
    """The bin of every code, (n, D), integers from 0; codes that equal an edge belong above it."""
    return torch.searchsorted(edges, codes.detach().double().T.contiguous(), right=True).T.contiguous()


def _grow(table: Tensor, labels: Tensor, classes: int, bins: int, depth: int, smallest_leaf: int) -> Tree:
    """Level by level, all nodes of a level at once."""
    node = torch.zeros(len(table), dtype=torch.long)  # where each example stands
    feature, threshold, child = (torch.full((1,), fill, dtype=torch.long) for fill in (0, 0, -1))
    importance = torch.zeros(table.shape[1], dtype=torch.float64)
    frontier = torch.zeros(1, dtype=torch.long)
    for _ in range(depth):
        local = torch.full((len(child),), -1).scatter(0, frontier, torch.arange(len(frontier)))
        here = local[node] >= 0
        gain, best_feature, best_bin = _best_splits(
            table[here], labels[here], local[node[here]], len(frontier), classes, bins, smallest_leaf
        )
        splitting = gain > 1e-9
        if not splitting.any():
            break
        parents, count = frontier[splitting], int(splitting.sum())
        importance.index_add_(0, best_feature[splitting], gain[splitting])
        feature[parents], threshold[parents] = best_feature[splitting], best_bin[splitting]
        child[parents] = len(child) + 2 * torch.arange(count)
        frontier = len(child) + torch.arange(2 * count)
        feature, threshold = (torch.cat([old, old.new_zeros(2 * count)]) for old in (feature, threshold))
        child = torch.cat([child, child.new_full((2 * count,), -1)])
        right = table.gather(1, feature[node, None]).squeeze(1) > threshold[node]
        node = torch.where(child[node] >= 0, child[node] + right, node)
    counts = torch.zeros(len(child) * classes).index_add_(0, node * classes + labels, torch.ones(len(labels)))
    return Tree(feature, threshold, child, counts.reshape(-1, classes).double(), importance)


def _best_splits(
    table: Tensor, labels: Tensor, node: Tensor, nodes: int, classes: int, bins: int, smallest_leaf: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Per node the largest decrease of n × Gini impurity over all dimensions and bins: gain, dimension, bin."""
    gain = torch.zeros(nodes, dtype=torch.float64)
    feature, threshold = torch.zeros(nodes, dtype=torch.long), torch.zeros(nodes, dtype=torch.long)
    one = torch.ones(len(labels), dtype=torch.float32)
    for d in range(table.shape[1]):
        cell = (node * bins + table[:, d]) * classes + labels
        counts = torch.zeros(nodes * bins * classes).index_add_(0, cell, one).reshape(nodes, bins, classes)
        left = counts.cumsum(1)
        total = left[:, -1:]
        left, right = left[:, :-1], total - left[:, :-1]
        n_left, n_right = left.sum(-1), right.sum(-1)
        purity = left.square().sum(-1) / n_left.clamp(min=1) + right.square().sum(-1) / n_right.clamp(min=1)
        decrease = purity.double() - (total.square().sum(-1) / total.sum(-1).clamp(min=1)).double()
        decrease = decrease.masked_fill((n_left < smallest_leaf) | (n_right < smallest_leaf), 0.0)
        best = decrease.max(1)
        better = best.values > gain * (1 + 1e-6) + 1e-4  # float32 noise is no reason to prefer a dimension
        gain = torch.where(better, best.values, gain)
        feature, threshold = feature.masked_fill(better, d), torch.where(better, best.indices, threshold)
    return gain, feature, threshold
