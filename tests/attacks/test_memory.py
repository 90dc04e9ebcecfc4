"""What evaluations take of the memory: counted against what autograd keeps, and kept within a budget."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from seatbelt_vae.attacks import Adam, Continuation, Penalty, attack
from seatbelt_vae.attacks.evaluation.memory import bytes_per_row, images_per_call, within
from seatbelt_vae.attacks.protocol import at_a_time, parts
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.models import vae
from seatbelt_vae.optim import Problem

MIB = 2**20


@pytest.mark.parametrize(("side", "samples", "images"), [(28, 0, 128), (64, 1, 64), (64, 4, 16), (128, 0, 16)])
def test_a_call_takes_as_many_images_as_their_size_and_samples_allow(side, samples, images):
    assert images_per_call(torch.zeros(1, 3, side, side), samples) == images
    assert images_per_call(torch.zeros(1, 3, side, side, device="meta"), samples) is None


def test_parts_hold_every_index_once():
    assert torch.equal(torch.cat(parts(torch.zeros(300, 1, 8, 8), samples=3)), torch.arange(300))


def test_bytes_of_a_row_are_those_of_what_autograd_keeps_and_not_of_parameters():
    weight = torch.randn(100, 50, requires_grad=True)

    def smooth(d, pairs):
        hidden = (d @ weight).exp()  # keeps its result, 50 numbers, and the product d, 100
        return hidden.sin().sum(1)  # and the sine what it was given: the same 50 numbers

    assert bytes_per_row(smooth, torch.zeros(1, 100)) == 2 * 4 * (100 + 50)


def test_what_is_freed_and_taken_again_counts_twice():
    def chain(d, pairs):
        return d.exp().exp().exp().sum(1)  # each keeps its result; held by nobody, one is in the place of another

    assert bytes_per_row(chain, torch.zeros(1, 2**18)) == 2 * 3 * 2**20


@pytest.mark.parametrize(("side", "images"), [(64, 16), (128, 16), (256, 4), (512, 1), (1024, 1)])
def test_large_images_are_encoded_a_few_at_a_time_without_a_gradient_too(side, images):
    assert at_a_time(torch.zeros(1, 3, side, side, device="meta"), 16) == images


def test_a_budget_is_shared_out_and_never_exceeded():
    def shares(chunk, memory):
        problem = Problem(lambda d, pairs: d.square().sum(1), torch.zeros(1, 1024), -1.0, 1.0, chunk=chunk)
        fits, left = within(problem, memory)  # 8 KiB a row
        return fits.chunk, left

    assert shares(16, MIB) == (16, MIB - 16 * 8192)
    assert shares(100, MIB) == (64, MIB / 2)
    assert shares(None, MIB) == (64, MIB / 2)
    assert shares(16, 100.0) == (1, 0.0)


def test_smoothed_kinks_keep_more():
    images = torch.rand(2, 1, 32, 32)
    smoothed = replace(prepare(vae((1, 32, 32), latent_sizes=(2,)), images, images.flip(0)).problem, chunk=None)
    plain = replace(smoothed, smoothed=None)
    assert within(smoothed, MIB)[0].chunk < within(plain, MIB)[0].chunk


@pytest.mark.parametrize("solver", [Continuation(12), Adam(12)])
def test_an_attack_evaluates_no_more_images_at_once_than_the_budget_holds(hierarchy, images, monkeypatch, solver):
    sizes = []
    encode = type(hierarchy).encode

    def counted(model, x, *noise):
        sizes.extend([len(x)] if x.requires_grad else [])
        return encode(model, x, *noise)

    monkeypatch.setattr(type(hierarchy), "encode", counted)
    settings = {"budget": Penalty([0.0, 1.0, 2.0, 4.0]), "solver": solver}
    attack(hierarchy, images, images.flip(0), **settings)
    assert max(sizes) > 2
    sizes.clear()
    attack(hierarchy, images, images.flip(0), memory=1.0, **settings)
    assert max(sizes) == 2  # that what a row keeps is counted with, and not kept
    assert sizes.count(2) == 1


PEAK = """
import sys, torch
from seatbelt_vae.attacks import Cold, Penalty, attack
from seatbelt_vae.models import vae

def most():  # ru_maxrss would be that of the process that started this one, if that is larger
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024

torch.manual_seed(0)
model, images = vae((3, 64, 64), latent_sizes=(8,)), torch.rand(2, 30, 3, 64, 64)
settings = {"budget": Penalty([0.5, 2.0]), "solver": Cold(2)}
attack(model, images[0, :1], images[1, :1], **settings)
before = most()
found = attack(model, *images, memory=float(sys.argv[1]) * 2**20, **settings)
print(most() - before - found.adversarial.numel() / 2**18)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
def test_the_process_grows_by_no_more_than_the_budget_besides_what_is_always_there():
    grown = {}
    for budget in (1, 96, 400):  # with the first, one row at a time
        words = [sys.executable, "-c", PEAK, str(budget)]
        grown[budget] = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert grown[96] - grown[1] <= 1.1 * 96 < grown[400] - grown[1]  # a tenth for what malloc keeps to itself
