"""The quasi-Newton memory of a batch of rows, and the step it gives on the free variables."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.optim.problem import wide

CURVATURE = 1e-8
"""A pair is used only when s.y > CURVATURE * y.y: otherwise it holds no curvature, or rounding alone."""


@dataclass
class History:
    """The last m pairs (s, y) of each row in a ring.

    Attributes:
        pairs: s in the first m places and y in the last m, shape (B, 2m, n).
        filled: which places hold a pair, shape (B, m).
        head: the place that is written next (the oldest), shape (B,).
    """

    pairs: Tensor
    filled: Tensor
    head: Tensor

    @classmethod
    def empty(cls, rows: int, memory: int, like: Tensor) -> "History":
        """No pairs yet, for `rows` rows of the size and dtype of `like`."""
        return cls(
            pairs=like.new_zeros(rows, 2 * memory, like.shape[-1]),
            filled=torch.zeros(rows, memory, dtype=torch.bool, device=like.device),
            head=torch.zeros(rows, dtype=torch.long, device=like.device),
        )

    @property
    def memory(self) -> int:
        """How many pairs a row can hold."""
        return self.filled.shape[1]

    def push(self, s: Tensor, y: Tensor, where: Tensor) -> None:
        """Store the pair of each row marked in `where` (B,), over its oldest."""
        row = torch.arange(len(s), device=s.device)
        for place, new in ((self.head, s), (self.head + self.memory, y)):
            self.pairs[row, place] = torch.where(where[:, None], new, self.pairs[row, place])
        self.filled[row, self.head] |= where
        self.head = torch.where(where, (self.head + 1) % self.memory, self.head)

    def clear(self, where: Tensor) -> None:
        """Forget the pairs of the rows marked in `where` (B,)."""
        self.filled &= ~where[:, None]

    def direction(self, gradient: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
        r"""The quasi-Newton step on the free variables.

        .. math:: d = -H g, \quad H = \gamma I + \begin{bmatrix} S & \gamma Y \end{bmatrix}
            \begin{bmatrix} R^{-T}(D + \gamma Y^T Y) R^{-1} & -R^{-T} \\ -R^{-1} & 0 \end{bmatrix}
            \begin{bmatrix} S^T \\ \gamma Y^T \end{bmatrix}

        with every vector restricted to the free variables, R the upper triangle of S^T Y and D its diagonal. The
        restriction changes with the active bounds, so the small matrices are rebuilt each time.

        Args:
            gradient: shape (B, n).
            free: which variables may move, shape (B, n).

        Returns:
            The step, zero where not free, shape (B, n), and whether any pair went into it, shape (B,).

        References:
            Byrd, Nocedal & Schnabel 1994, Representations of quasi-Newton matrices, theorem 2.2.
        """
        m, dtype = self.memory, wide(gradient.device)
        g = gradient * free
        y = self.pairs[:, m:] * free[:, None]
        order = (self.head[:, None] + torch.arange(m, device=g.device)) % m  # oldest first
        both = torch.cat((order, order + m), dim=1)
        gram = _bmm(self.pairs, y.mT).to(dtype)  # s.y above, y.y below
        gram = _take(_take(gram, both, 1), order, 2)
        inner = _take(_bmm(self.pairs, g[:, :, None]).to(dtype)[:, :, 0], both, 1)
        used, gamma, coefficients = _compact(gram, inner, _take(self.filled, order, 1))
        weights = torch.zeros_like(coefficients).scatter(1, both, coefficients).to(g.dtype)
        step = _bmm(weights[:, None], self.pairs)[:, 0] * free
        return -(gamma[:, None].to(g.dtype) * g + step), used.any(-1)


def _bmm(a: Tensor, b: Tensor) -> Tensor:
    """`torch.bmm` whose result for a row does not depend on how many there are: alone, a row would go to another
    routine and differ in the last bit, which a long search can turn into another minimum.
    """
    return torch.bmm(a, b) if len(a) > 1 else torch.bmm(a.expand(2, -1, -1), b.expand(2, -1, -1))[:1]


def _take(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """Rows (or columns) of each batch member in its own order."""
    if x.ndim == 2:
        return x.gather(1, index)
    shape = (-1, -1, x.shape[2]) if dim == 1 else (-1, x.shape[1], -1)
    return x.gather(dim, index[:, :, None].expand(shape) if dim == 1 else index[:, None].expand(shape))


def _compact(gram: Tensor, inner: Tensor, filled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which pairs count, gamma, and the coefficients of S and Y in H g; pairs are oldest first."""
    m = filled.shape[1]
    sy, yy = gram[:, :m], gram[:, m:]
    d, y_norm = sy.diagonal(dim1=1, dim2=2), yy.diagonal(dim1=1, dim2=2)
    used = filled & (d > CURVATURE * y_norm) & (y_norm > 0)
    keep = used[:, :, None] & used[:, None, :]
    # A pair left out becomes an identity row with a zero right-hand side: its coefficient comes out 0.
    upper = torch.where(keep, sy, 0.0).triu() + torch.diag_embed((~used).to(sy.dtype))
    newest = (used * torch.arange(1, m + 1, device=used.device)).argmax(1, keepdim=True)
    gamma = torch.where(used.any(1), (d / y_norm.clamp_min(torch.finfo(d.dtype).tiny)).gather(1, newest)[:, 0], 1.0)
    s_g, y_g = (torch.where(used, part, 0.0)[:, :, None] for part in inner.split(m, dim=1))
    a = torch.linalg.solve_triangular(upper, s_g, upper=True)
    g3 = gamma[:, None, None]
    middle = torch.where(used, d, 0.0)[:, :, None] * a + g3 * (torch.where(keep, yy, 0.0) @ a - y_g)
    b = torch.linalg.solve_triangular(upper.mT, middle, upper=False)
    return used, gamma, torch.cat((b, -g3 * a), dim=1)[:, :, 0]
