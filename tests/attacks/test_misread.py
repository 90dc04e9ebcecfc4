"""Downstream accuracy under attack: on a linear model the margin falls by ε times the length of its gradient."""

import pytest
import torch

from seatbelt_vae.attacks.misread import codes_of, downstream_accuracy
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.downstream import Readout, fit_readout


def separable(count: int = 60):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 3
    centres = torch.tensor([[0.0, 4.0], [4.0, -4.0], [-4.0, -4.0]], dtype=torch.float64)
    codes = centres[labels] + 0.3 * torch.randn(count, 2, generator=generator, dtype=torch.float64)
    return codes * torch.tensor([100.0, 0.01]), labels  # the unit of a latent plays no part


def test_separable_classes_are_read_right():
    pytest.importorskip("sklearn")
    codes, labels = separable()
    readout = fit_readout(codes[:30], labels[:30])
    assert readout.accuracy(codes[30:], labels[30:]) == 1.0
    shuffled = labels[torch.randperm(30, generator=torch.Generator().manual_seed(1))]
    assert readout.accuracy(codes[30:], shuffled) < 0.7


def test_it_is_the_classifier_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    codes, labels = separable()
    labels = labels.clamp(max=1)  # two classes: one row of weights there, two here
    scaled = (codes - codes.mean(0)) / codes.std(0, correction=0)
    peer = linear_model.LogisticRegression(max_iter=1000).fit(scaled.numpy(), labels.numpy())
    logits = fit_readout(codes, labels).logits(codes)
    torch.testing.assert_close(logits.softmax(1), torch.as_tensor(peer.predict_proba(scaled.numpy())))


def test_an_attacked_linear_encoder_loses_the_closed_form_of_its_margin(linear):
    # margin(x + d) = margin(x) + (w_y − w_other)ᵀ W d: the smallest in an L2 ball is margin − ε‖Wᵀ(w_y − w_other)‖.
    generator = torch.Generator().manual_seed(0)
    images = 0.4 + 0.2 * torch.rand(40, 1, 4, 4, generator=generator, dtype=torch.float64)
    direction = torch.randn(3, generator=generator, dtype=torch.float64)
    codes = codes_of(linear, images).detach()
    bias = -(codes @ direction).median()
    readout = Readout(torch.stack([-direction, direction]), torch.stack([-bias, bias]), torch.tensor([0, 1]))
    labels = (codes @ direction + bias > 0).long()
    labels[:4] = 1 - labels[:4]  # a few are read wrong to begin with
    margin = readout.margin(codes, labels)
    steepest = (2 * direction @ linear.w.detach()).norm()
    radii = [0.02, 0.05]
    found = downstream_accuracy(linear, readout, images, labels, radii)
    expected = [(margin > 0).double().mean()]
    expected += [(margin - radius * steepest > 0).double().mean() for radius in radii]
    assert found.tolist() == [float(share) for share in expected]
    assert 0 < found[2] < found[1] < found[0] < 1


def test_bad_labels_are_refused():
    codes, labels = separable()
    with pytest.raises(InputError, match="60 integers"):
        fit_readout(codes, labels.double())
    with pytest.raises(InputError, match="all the same"):
        fit_readout(codes, 0 * labels)
    readout = Readout(torch.eye(2).double(), torch.zeros(2).double(), torch.tensor([0, 1]))
    with pytest.raises(InputError, match=r"has seen only \[0, 1\]"):
        readout.margin(codes, labels)
