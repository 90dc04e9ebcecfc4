"""Factors read from the latents of sprites: a linear encoder, whose worst margin in box and ball is known."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae import metrics
from seatbelt_vae.data import ImageDataset, Split, load_dataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import MEASUREMENTS, EvaluationSettings
from seatbelt_vae.experiments.evaluation.downstream import SHARE, read_factors
from seatbelt_vae.experiments.evaluation.subject import Subject

linear_model = pytest.importorskip("sklearn.linear_model")


class Linear(nn.Module):
    """Means Wx of four latents."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.w = nn.Parameter(torch.randn(4, 256, generator=generator) / 16)

    def encode(self, x: Tensor, noise: object = None) -> tuple[Normal, ...]:
        loc = x.flatten(1) @ self.w.T
        return (Normal(loc, torch.ones_like(loc)),)

    def decode(self, z: tuple[Tensor, ...]) -> Normal:
        mean = (z[0] @ self.w).view(-1, 1, 16, 16)
        return Normal(mean, torch.ones_like(mean))


def worst_margin(margin: Tensor, gradient: Tensor, x: Tensor, radius: float) -> Tensor:
    """The least of margin + g·d for ‖d‖ ≤ ε and 0 ≤ x + d ≤ 1: d is −t g, cut to the box, with t by bisection."""
    low, high = torch.zeros(len(x), 1), torch.full((len(x), 1), 1e6)
    for _ in range(60):
        t = (low + high) / 2
        d = (x - t * gradient).clamp(0, 1) - x
        inside = d.norm(dim=1, keepdim=True) <= radius
        low = torch.where(inside, t, low)
        high = torch.where(inside, high, t)
    return margin + ((x - low * gradient).clamp(0, 1) - x) @ gradient


@pytest.fixture(scope="module")
def subject() -> Subject:
    whole = load_dataset("sprites", count=400, size=16)
    two = whole.factor("shape") < 2
    data = whole.subset(two.nonzero()[:, 0])
    assert data.factors is not None
    shape = ImageDataset(data.images, factors=data.factors[:, :1], factor_names=("shape",))
    return Subject(Linear(), shape.split(test=0.3), EvaluationSettings("downstream"))  # type: ignore[arg-type]


def test_accuracies_are_those_of_scikit_learn_and_of_the_closed_form(subject: Subject) -> None:
    found = read_factors(subject)["shape"]
    train, test = subject.train, subject.test
    codes, labels = subject.codes, train.factor("shape")
    scaled = lambda z: ((z - codes.mean(0)) / codes.std(0, correction=0)).numpy()  # noqa: E731
    peer = linear_model.LogisticRegression(max_iter=1000).fit(scaled(codes), labels.numpy())
    x, truth = test[:].flatten(1), test.factor("shape")
    weight = subject.model.w.detach()
    assert found.images == len(test)
    assert found.clean == pytest.approx(peer.score(scaled(x @ weight.T), truth.numpy()))

    readout = metrics.fit_readout(codes, labels)
    way = (readout.weight[1] - readout.weight[0]).float() @ weight  # of the logit of 1 over that of 0
    sign = 2.0 * truth[:, None] - 1
    radius = SHARE * float((x - x.roll(1, 0)).norm(dim=1).median())
    margin = readout.margin((x @ weight.T).double(), truth).float()
    margins = torch.cat([worst_margin(margin[i : i + 1], sign[i] * way, x[i : i + 1], radius) for i in range(len(x))])
    assert found.attacked == pytest.approx(float((margins > 0).double().mean()), abs=1.01 / len(test))
    assert found.attacked < found.clean
    assert found.guessed == float((truth == labels.mode().values).double().mean())


def test_the_measurement_is_the_mean_over_factors_with_its_binomial_error(subject: Subject) -> None:
    values = MEASUREMENTS["downstream"].make(subject).values
    read = read_factors(subject)["shape"]
    assert values["downstream_accuracy"] == read.clean
    assert values["downstream_attacked_error"] == pytest.approx(
        math.sqrt(read.attacked * (1 - read.attacked) / read.images)
    )


def test_values_that_training_never_showed_are_not_asked_for(subject: Subject) -> None:
    ones = subject.test.subset((subject.test.factor("shape") == 1).nonzero()[:, 0])
    zeros = subject.train.subset((subject.train.factor("shape") == 0).nonzero()[:, 0])
    with pytest.raises(InputError, match="no factor has values"):
        read_factors(Subject(subject.model, Split(zeros, ones), subject.settings))
