"""The quasi-Newton memory of a batch of rows: pairs of steps and gradient differences, and their dot products."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.optim.problem import wide

CURVATURE = 1e-8
"""A pair is kept only when s.y > CURVATURE * y.y: otherwise it holds no positive curvature, or rounding alone."""

COLUMNS = 512
"""Variables whose products are summed at once in float64, to bound the memory of the conversion."""


@dataclass
class History:
    r"""The last m pairs (s, y) of each row, and the Gram matrices the compact form is made of.

    Pairs are stored divided by ‖s‖, which leaves the quasi-Newton matrix as it is and its algebra well scaled. Products
    are summed in float64, where those of float32 numbers are exact: what a variable added to `gram_free` when it was
    freed is what is taken away when it is bound again.

    Attributes:
        pairs: s in the first m places and y in the last m, shape (B, 2m, n).
        gram: products of all pairs, shape (B, 2m, 2m), float64.
        gram_free: the same over the free variables alone, those with `side` 0.
        side: -1 for a variable held at its lower bound, 1 at its upper, 0 free, shape (B, n), int8.
        age: the turn at which a place was filled, 0 for an empty one, shape (B, m).
        count: how many pairs were ever pushed, shape (B,).
    """

    pairs: Tensor
    gram: Tensor
    gram_free: Tensor
    side: Tensor
    age: Tensor
    count: Tensor

    @classmethod
    def empty(cls, rows: int, memory: int, like: Tensor) -> "History":
        """No pairs yet and every variable free, for `rows` rows of the size and dtype of `like`."""
        gram = torch.zeros(rows, 2 * memory, 2 * memory, dtype=wide(like.device), device=like.device)
        count = torch.zeros(rows, dtype=torch.long, device=like.device)
        side = torch.zeros(rows, like.shape[-1], dtype=torch.int8, device=like.device)
        pairs = like.new_zeros(rows, 2 * memory, like.shape[-1])
        return cls(pairs, gram, gram.clone(), side, count[:, None].repeat(1, memory), count)

    @property
    def memory(self) -> int:
        """How many pairs a row can hold."""
        return self.age.shape[1]

    @property
    def filled(self) -> Tensor:
        """Which places hold a pair, shape (B, m)."""
        return self.age > 0

    def push(self, s: Tensor, y: Tensor, where: Tensor) -> None:
        """Store the pair of each row marked in `where` (B,) that has positive curvature, over the row's oldest."""
        dtype = self.gram.dtype
        length = torch.linalg.vector_norm(s, dim=-1, dtype=dtype)
        curvature, yy = (s * y).sum(-1, dtype=dtype), (y * y).sum(-1, dtype=dtype)
        where = where & (length > 0) & (curvature > CURVATURE * yy)
        length = torch.where(where, length, 1.0)[:, None]
        row = torch.arange(len(s), device=s.device)
        place = self.count % self.memory
        for at, vector in ((place, s), (place + self.memory, y)):
            self.pairs[row, at] = torch.where(where[:, None], (vector / length).to(s.dtype), self.pairs[row, at])
        self.count = self.count + where
        self.age[row, place] = torch.where(where, self.count, self.age[row, place])
        new = torch.stack((self.pairs[row, place], self.pairs[row, place + self.memory]), dim=1)
        self._update(self.gram, products(self.pairs, new), row, place)
        self._update(self.gram_free, products(self.pairs, new * (self.side == 0)[:, None]), row, place)

    def _update(self, gram: Tensor, inner: Tensor, row: Tensor, place: Tensor) -> None:
        """Write products (B, 2m, 2) of the pair at `place` with all into its rows and columns."""
        for at, column in ((place, inner[:, :, 0]), (place + self.memory, inner[:, :, 1])):
            gram[row, at] = column
            gram[row, :, at] = column

    def clear(self, where: Tensor) -> None:
        """Forget the pairs of the rows marked in `where` (B,)."""
        self.age = torch.where(where[:, None], 0, self.age)

    def hold(self, side: Tensor) -> None:
        """Take another guess of which variables are held where, and bring `gram_free` up to date.

        Only the variables whose freedom changes are visited.
        """
        now, before = side == 0, self.side == 0
        row, variable = (now != before).nonzero(as_tuple=True)
        self.side = side
        if not len(row):
            return
        changes = torch.bincount(row, minlength=len(side))
        most = int(changes.max())
        if most > side.shape[1] // 8:
            self.gram_free = products(self.pairs, self.pairs * now[:, None])
            return
        nth = torch.arange(len(row), device=row.device) - (changes.cumsum(0) - changes)[row]
        vectors = self.pairs.new_zeros(len(side), most, 2 * self.memory, dtype=self.gram.dtype)
        vectors[row, nth] = self.pairs[row, :, variable].to(vectors.dtype)
        signed = vectors.clone()
        signed[row, nth] *= torch.where(now[row, variable], 1.0, -1.0).to(vectors.dtype)[:, None]
        self.gram_free = self.gram_free + bmm(signed.mT, vectors)


def products(a: Tensor, b: Tensor) -> Tensor:
    """Dot products of a (B, p, n) with b (B, q, n) in float64, shape (B, p, q)."""
    dtype = wide(a.device)
    blocks = zip(a.split(COLUMNS, dim=2), b.split(COLUMNS, dim=2), strict=True)
    return sum((bmm(x.to(dtype), y.to(dtype).mT) for x, y in blocks), torch.zeros((), dtype=dtype, device=a.device))


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """`torch.bmm` whose result for a row does not depend on how many there are.

    Alone, a row would go to another routine and differ in the last bit, which a long search can turn into another
    minimum.
    """
    return torch.bmm(a, b) if len(a) > 1 else torch.bmm(a.expand(2, -1, -1), b.expand(2, -1, -1))[:1]
