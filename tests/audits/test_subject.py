"""Images are judged by what the model makes of them; the worst case is the envelope of curves."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.audits.subject import Found, Subject, envelope, together


class Identity:
    """A perfect autoencoder."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        return (Normal(x, torch.ones_like(x), validate_args=False),)

    def decode(self, z: tuple[Tensor, ...]) -> Distribution:
        return Independent(Normal(z[0], torch.ones_like(z[0]), validate_args=False), 3)


@pytest.fixture
def subject() -> Subject:
    generator = torch.Generator().manual_seed(0)
    return Subject(Identity(), *torch.rand(2, 3, 1, 4, 4, generator=generator), (0.0, 1.0))


def test_the_identity_succeeds_by_as_much_as_it_is_distorted(subject: Subject) -> None:
    shares = torch.tensor([0.0, 0.3, 0.5, 1.0])
    way = (subject.target - subject.source)[:, None]
    found = subject.judge("way", subject.source[:, None] + shares.view(1, -1, 1, 1, 1) * way)
    torch.testing.assert_close(found.distortion, shares.expand(3, 4))
    torch.testing.assert_close(found.success, shares.expand(3, 4))
    torch.testing.assert_close(found.damage, found.distortion * subject.apart[:, None])
    torch.testing.assert_close(found.f50, torch.full((3,), 0.5))
    torch.testing.assert_close(found.best_within(torch.full((3,), 0.4)).success, torch.full((3, 1), 0.3))


def test_another_attack_never_lowers_the_worst_case(subject: Subject) -> None:
    def found(points: list[tuple[float, float]]) -> Found:
        x, y = torch.tensor(points).T
        none = torch.zeros(3, len(points), 1, 4, 4)
        return Found("made up", none, none, x.expand(3, -1), y.expand(3, -1), y.expand(3, -1))

    strong = found([(0.1, 0.2), (0.3, 0.9)])
    weak = found([(0.2, 0.21)])
    grid = torch.linspace(0, 1, 11)
    torch.testing.assert_close(envelope([strong, weak], grid), strong.curve(grid))
    assert together("both", [strong, weak]).f50[0] > strong.f50[0]  # as one attack it would: hence the envelope


def test_what_is_not_finite_gains_nothing(subject: Subject) -> None:
    images = subject.source[:, None].clone()
    images[0] = torch.nan
    found = subject.judge("hole", images)
    assert found.success[0, 0] == 0
    assert found.damage[0, 0] == 0
