"""The quasi-Newton memory of a batch of rows: pairs of steps and gradient differences, and their dot products."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.host import Floats, Integers, Marks, read, send
from seatbelt_vae.optim.problem import wide

CURVATURE = 1e-8
"""A pair is kept only when s.y > CURVATURE * y.y: otherwise it holds no positive curvature, or rounding alone."""

FEW = (64, 32, 16, 8, 4)
"""Changes of freedom in a row, as shares 1/64 … 1/4 of the variables, up to which they are visited one by one, in
batches of rows that have at most so many; beyond the last, all products anew cost less."""


@dataclass
class History:
    r"""The last m pairs (s, y) of each row, and the Gram matrices the compact form is made of.

    Pairs are stored divided by ‖s‖, which leaves the quasi-Newton matrix as it is and its algebra well scaled.

    Attributes:
        pairs: s in the first m places and y in the last m, shape (B, 2m, n).
        grams: products of all pairs, and the same over the free variables alone, those with `side` 0, shape
            (B, 2, 2m, 2m), float64.
        side: -1 for a variable held at its lower bound, 1 at its upper, 0 free, shape (B, n), int8.
        age: the turn at which a place was filled, 0 for an empty one, shape (B, m).
        sy: s.y of each place, shape (B, m).
        yy: y.y.
        count: how many pairs were ever pushed, shape (B,).
    """

    pairs: Tensor
    grams: Tensor
    side: Tensor
    age: Integers
    sy: Floats
    yy: Floats
    count: Integers

    @classmethod
    def empty(cls, rows: int, memory: int, like: Tensor) -> "History":
        """No pairs yet and every variable free, for `rows` rows of the size and dtype of `like`."""
        n = like.shape[-1]
        places = 2 * memory
        return cls(
            pairs=like.new_zeros(rows, places, n),
            grams=like.new_zeros(rows, 2, places, places, dtype=wide(like.device)),
            side=like.new_zeros(rows, n, dtype=torch.int8),
            age=np.zeros((rows, memory), dtype=np.int64),
            sy=np.zeros((rows, memory)),
            yy=np.zeros((rows, memory)),
            count=np.zeros(rows, dtype=np.int64),
        )

    @property
    def memory(self) -> int:
        """How many pairs a row can hold."""
        return self.age.shape[1]

    @property
    def gram(self) -> Tensor:
        """Products of all pairs, shape (B, 2m, 2m)."""
        return self.grams[:, 0]

    @property
    def gram_free(self) -> Tensor:
        """The same over the free variables."""
        return self.grams[:, 1]

    @property
    def filled(self) -> Marks:
        """Which places hold a pair, shape (B, m)."""
        return self.age > 0

    def push(self, s: Tensor, y: Tensor, rows: Integers) -> None:
        """Store the pairs, s not 0, of some rows over their oldest; s and y (B, n) are of all rows.

        A pair without positive curvature empties its place.
        """
        if not len(rows):
            return
        place = self.count[rows] % self.memory
        of_y = place + self.memory
        at = send(np.stack((place, of_y), axis=1), s)
        row = send(rows, s)
        length = torch.linalg.vector_norm(s, dim=-1, keepdim=True)
        length.clamp_min_(torch.finfo(s.dtype).tiny)
        new = s.new_empty(len(s), 4, s.shape[1])  # s and y, and what of them is free
        torch.div(s, length, out=new[:, 0])
        torch.div(y, length, out=new[:, 1])
        torch.mul(new[:, :2], (self.side == 0)[:, None], out=new[:, 2:])
        if len(rows) < len(s):
            self.pairs[row[:, None], at] = new[row, :2]
        else:
            self.pairs[row[:, None], at] = new[:, :2]
        if 2 * len(rows) < len(s):
            inner = products(new[row], self.pairs[row])
        else:  # products that nobody needs cost less than a copy of the pairs
            inner = products(new, self.pairs)[row]
        inner = inner.view(len(rows), 2, 2, -1)  # (row, all or free, s or y, with each pair)
        self.grams[row[:, None], :, at] = inner.transpose(1, 2)
        self.grams[row[:, None], :, :, at] = inner.transpose(1, 2)
        with_y = inner[:, 0].take_along_dim(at[:, 1:, None], dim=2)
        sy, yy = read(*with_y[:, :, 0].unbind(1))
        positive = sy > CURVATURE * yy
        self.sy[rows, place] = sy
        self.yy[rows, place] = yy
        self.count[rows] += 1
        self.age[rows, place] = np.where(positive, self.count[rows], 0)

    def clear(self, where: Marks) -> None:
        """Forget the pairs of the rows marked in `where` (B,)."""
        self.age[where] = 0

    def hold(self, side: Tensor) -> None:
        """Take another guess of which variables are held where, and bring `gram_free` up to date.

        In rows where few variables change their freedom, only these are visited.
        """
        changed = (side == 0) != (self.side == 0)
        self.side = side
        row, variable = np.nonzero(changed.cpu().numpy())
        changes = np.bincount(row, minlength=len(side))
        visited = 0
        for share in FEW:  # a row's own count decides how its sum is made, whatever the others do
            most = side.shape[1] // share
            rows = np.flatnonzero((changes > visited) & (changes <= most))
            self._exchange(rows, changes, variable, most)
            visited = most
        rows = np.flatnonzero(changes > visited)
        if len(rows):
            index = send(rows, side)
            pairs = self.pairs.index_select(0, index)
            self.gram_free[index] = products(pairs, pairs * (side[index] == 0)[:, None])

    def _exchange(self, rows: Integers, changes: Integers, variable: Integers, most: int) -> None:
        """Add to `gram_free` of `rows` what the freed variables bring, and take away what the held ones brought.

        Args:
            rows: with at most `most` changes each.
            changes: how many variables changed, in every row (B,).
            variable: which, those of row 0 first.
            most: room for the variables of a row.
        """
        if not len(rows):
            return
        nth = np.arange(most)
        first = np.cumsum(changes) - changes
        used = nth < changes[rows, None]
        variables = np.where(used, variable.take(first[rows, None] + nth, mode="clip"), 0)
        index = send(rows, self.side)
        which = send(variables, self.side)
        freed = self.side[index[:, None], which] == 0
        sign = torch.where(freed, 1.0, -1.0).to(self.pairs) * send(used, self.side)
        # Pair by pair: a variable's entries in all pairs lie n apart. The flat index spares a copy of the rows' pairs.
        places = 2 * self.memory
        pair = rows[:, None] * places + np.arange(places)
        entries = send((pair * self.side.shape[1])[:, :, None] + variables[:, None], self.side)
        vectors = self.pairs.view(-1).index_select(0, entries.view(-1)).view(entries.shape)
        self.gram_free[index] += products(vectors * sign[:, None], vectors)


def products(a: Tensor, b: Tensor) -> Tensor:
    """Dot products of a (B, p, n) with b (B, q, n), p <= q for speed, shape (B, p, q), handed on in float64."""
    return bmm(a, b.mT).to(wide(a.device))


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """`torch.bmm` whose result for a row does not depend on how many there are.

    Alone, a row would go to another routine and differ in the last bit, which a long search can turn into another
    minimum.
    """
    if len(a) == 1:
        return torch.bmm(a.expand(2, -1, -1), b.expand(2, -1, -1))[:1]
    return torch.bmm(a, b)
