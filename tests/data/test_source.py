import pytest
import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.data.resize import resize
from seatbelt_vae.data.source import ImageSource, Rows, digest_of


class Held(ImageSource):
    """A source that reads a tensor, and notes how many rows it was asked for."""

    digest = "held"

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images
        self.asked = 0

    @property
    def shape(self):
        return tuple(self.images.shape)

    def read(self, indices):
        self.asked += len(indices)
        return self.images[indices]


@pytest.fixture
def held() -> Held:
    return Held(torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


def test_rows_are_read_when_asked_for(held):
    rows = Rows(held, torch.tensor([7, 3, 19, 0]))
    assert (len(rows), rows.shape, held.asked) == (4, (4, 3, 8, 8), 0)
    assert torch.equal(rows[1:3], held.images[[3, 19]])
    assert torch.equal(rows[-1], held.images[0])
    assert held.asked == 3


def test_resized_rows_are_those_of_the_whole(held):
    small = ImageDataset(Rows(held, torch.tensor([5, 2]))).resized(4).images
    whole = ImageDataset(held).resized(4).images
    assert small.shape == (2, 3, 4, 4)
    assert held.asked == 0
    assert torch.equal(small[:], whole[[5, 2]])
    assert torch.equal(small[:], resize(held.images[[5, 2]], (4, 4)))
    assert len({small.digest, whole.digest, held.digest}) == 3


def test_digests_see_types_shapes_and_limits():
    zero = torch.zeros(4, dtype=torch.uint8)
    digests = {
        digest_of(zero),
        digest_of(zero.view(2, 2)),
        digest_of(zero.bool()),
        digest_of("ab", "c"),
        digest_of("a", "bc"),
        digest_of(zero[:0]),
    }
    assert len(digests) == 6
    assert digest_of(zero.view(2, 2).t()) == digest_of(zero.view(2, 2))
