"""The quasi-Newton memory of a batch of rows: pairs of steps and gradient differences, and their dot products."""

from dataclasses import dataclass

import torch
from torch import Tensor

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
        n = like.shape[-1]
        places = 2 * memory
        gram = like.new_zeros(rows, places, places, dtype=wide(like.device))
        count = like.new_zeros(rows, dtype=torch.long)
        return cls(
            pairs=like.new_zeros(rows, places, n),
            gram=gram,
            gram_free=gram.clone(),
            side=like.new_zeros(rows, n, dtype=torch.int8),
            age=count[:, None].repeat(1, memory),
            count=count,
        )

    @property
    def memory(self) -> int:
        """How many pairs a row can hold."""
        return self.age.shape[1]

    @property
    def filled(self) -> Tensor:
        """Which places hold a pair, shape (B, m)."""
        return self.age > 0

    def push(self, s: Tensor, y: Tensor, where: Tensor) -> None:
        """Store the pair of each row marked in `where` (B,) over the row's oldest.

        A pair without positive curvature empties its place.
        """
        length = torch.linalg.vector_norm(s, dim=-1, keepdim=True)
        row = (where & (length[:, 0] > 0)).nonzero()[:, 0]
        place = self.count[row] % self.memory
        of_y = place + self.memory
        both = torch.stack((place, of_y), dim=1)
        new = s.new_empty(len(s), 4, s.shape[1])  # s and y, and what of them is free
        length.clamp_min_(torch.finfo(s.dtype).tiny)
        torch.div(s, length, out=new[:, 0])
        torch.div(y, length, out=new[:, 1])
        torch.mul(new[:, :2], (self.side == 0)[:, None], out=new[:, 2:])
        self.pairs[row[:, None], both] = new[row, :2]
        if 2 * len(row) < len(s):
            inner = products(new[row], self.pairs[row])
        else:  # products that nobody needs cost less than a copy of the pairs
            inner = products(new, self.pairs)[row]
        _write(self.gram, row, both, inner[:, :2])
        _write(self.gram_free, row, both, inner[:, 2:])
        each = torch.arange(len(row), device=row.device)
        curvature = inner[each, 0, of_y]
        yy = inner[each, 1, of_y]
        self.count[row] += 1
        self.age[row, place] = torch.where(curvature > CURVATURE * yy, self.count[row], 0)

    def clear(self, where: Tensor) -> None:
        """Forget the pairs of the rows marked in `where` (B,)."""
        self.age = torch.where(where[:, None], 0, self.age)

    def hold(self, side: Tensor) -> None:
        """Take another guess of which variables are held where, and bring `gram_free` up to date.

        In rows where few variables change their freedom, only these are visited.
        """
        changed = (side == 0) != (self.side == 0)
        self.side = side
        changes = changed.sum(1)
        visited = 0
        for share in FEW:  # a row's own count decides how its sum is made, whatever the others do
            most = side.shape[1] // share
            rows = ((changes > visited) & (changes <= most)).nonzero()[:, 0]
            self._exchange(rows, changed, most)
            visited = most
        rows = (changes > visited).nonzero()[:, 0]
        if len(rows):
            pairs = self.pairs.index_select(0, rows)
            self.gram_free[rows] = products(pairs, pairs * (side[rows] == 0)[:, None])

    def _exchange(self, rows: Tensor, changed: Tensor, most: int) -> None:
        """Add to `gram_free` of `rows` what the freed variables bring, and take away what the held ones brought."""
        if not len(rows):
            return
        changed = changed[rows]
        side = self.side[rows]
        places = 2 * self.memory
        row, variable = changed.nonzero(as_tuple=True)
        nth = (changed.cumsum(1) - 1)[row, variable]
        variables = row.new_zeros(len(rows), most)
        sign = self.pairs.new_zeros(variables.shape)
        variables[row, nth] = variable
        freed = side[row, variable] == 0
        sign[row, nth] = torch.where(freed, 1.0, -1.0).to(sign)
        # Pair by pair: a variable's entries in all pairs lie n apart. The flat index spares a copy of the rows' pairs.
        pair = rows[:, None] * places + torch.arange(places, device=rows.device)
        entries = (pair * side.shape[1])[:, :, None] + variables[:, None]
        flat = self.pairs.view(-1).index_select(0, entries.view(-1))
        vectors = flat.view(entries.shape)
        self.gram_free[rows] += products(vectors * sign[:, None], vectors)


def _write(gram: Tensor, row: Tensor, places: Tensor, inner: Tensor) -> None:
    gram[row[:, None], places] = inner
    gram[row[:, None], :, places] = inner


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
