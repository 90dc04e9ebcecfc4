"""Anybody's pair of callables: what is attacked is what they compute, and what was assumed is said."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily, Normal

import seatbelt_vae as sb
from seatbelt_vae.attacks import Attackable, Cold, Damage, Latent, Output, Penalty, assess, attack
from seatbelt_vae.attacks.divergences import kl
from seatbelt_vae.attacks.output import negative_elbo
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import vae
from tests.tiny import network

SHAPE = (1, 6, 6)
BRIEF = {"budget": Penalty([0.0, 0.1]), "solver": Cold(15)}
NO_PRIOR = "no prior is given: a standard normal is assumed"
IMAGE = "decode gives an image and no distribution: pixels N(image, 0.1) are assumed"


def wrapped(model, **settings):
    return sb.wrap(model.encode, model.decode, **{"image_shape": SHAPE, "posterior": "log-variance", **settings})


def test_a_wrapped_model_is_attackable_and_says_what_it_assumes(foreign):
    model = wrapped(foreign)
    assert isinstance(model, Attackable)
    assert isinstance(model, nn.Module)
    assert model.assumptions == (IMAGE, NO_PRIOR)
    assert not model.deterministic
    assert model.image_shape == SHAPE
    assert model.name == type(foreign).__name__
    assert sb.wrap(lambda x: x, lambda z: z, image_shape=SHAPE).name == "Wrapped"


@pytest.mark.parametrize("objective", [Latent(), Latent("w2"), Output(samples=2), Output("l2")])
def test_a_native_model_and_its_wrapped_functions_are_attacked_alike(objective):
    torch.manual_seed(0)
    native = vae(SHAPE, latent_sizes=(3,), network=network(SHAPE, 3), likelihood="bernoulli").eval()
    foreign = sb.wrap(native.encode, native.decode, image_shape=SHAPE)
    x = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    ours = attack(native, x[:2], x[2:], objective, **BRIEF)
    theirs = attack(foreign, x[:2], x[2:], objective, **BRIEF)
    torch.testing.assert_close(theirs.objective, ours.objective, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(theirs.adversarial, ours.adversarial, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (0, 255), (-3.0, 2.0)])
def test_what_is_reported_is_what_the_functions_say_in_their_own_units(foreign, images, bounds):
    low, high = bounds
    net = foreign.net[1]
    net.weight.data /= high - low
    model = wrapped(foreign, bounds=bounds, decoded=(0, 1))
    found = attack(model, images[:2], images[2:], Latent(), **BRIEF)
    assert found.adversarial.min() >= 0
    assert found.adversarial.max() <= 1

    def theirs(x):
        mean, log_variance = foreign.encode(low + (high - low) * x)
        return Normal(mean, (0.5 * log_variance).exp())

    with torch.no_grad():
        truth = kl(theirs(found.adversarial.flatten(0, 1)), theirs(images[2:].repeat_interleave(2, 0))).view(2, 2)
    torch.testing.assert_close(found.discrepancy.float(), truth, rtol=1e-3, atol=1e-5)


def test_decoded_images_may_have_units_of_their_own(foreign):
    model = wrapped(foreign, bounds=(-1.0, 1.0), decoded=(0, 1))
    z = torch.randn(2, 3)
    torch.testing.assert_close(model.decode([z]).mean, foreign.decode(z))
    model = wrapped(foreign, bounds=(-1.0, 1.0))
    torch.testing.assert_close(model.decode([z]).mean, (foreign.decode(z) + 1) / 2)


def test_a_code_is_attacked_by_its_distance_and_never_sampled(foreign, images):
    model = sb.wrap(lambda x: foreign.encode(x)[0], foreign.decode, image_shape=SHAPE)
    assert model.deterministic
    assert model.assumptions[0].startswith("encode gives a code and no scale: this is no VAE")
    found = attack(model, images[:2], images[2:], Latent(samples=3), **BRIEF)
    with torch.no_grad():
        gap = foreign.encode(found.adversarial[:, 0])[0] - foreign.encode(images[2:])[0]
    torch.testing.assert_close(found.discrepancy[:, 0].float(), 0.5 * gap.square().sum(1), rtol=1e-3, atol=1e-6)
    assert (assess(model, found, samples=4).nll_error == 0).all()


@pytest.mark.parametrize("takes", ["a tensor", "a tuple"])
def test_a_decoder_takes_a_tensor_or_a_tuple(foreign, takes):
    decode = foreign.decode if takes == "a tensor" else lambda z: foreign.decode(z[0])
    model = sb.wrap(foreign.encode, decode, image_shape=SHAPE, posterior="log-variance")
    z = torch.randn(2, 3)
    assert torch.equal(model.decode([z]).mean, foreign.decode(z))
    assert model.takes_tuple == (takes == "a tuple")


def test_a_condition_is_held_fixed_in_both(images):
    torch.manual_seed(0)
    encoder, decoder = nn.Linear(36 + 5, 6), nn.Linear(3 + 5, 36)

    def encode(x, label):
        return encoder(torch.cat([x.flatten(1), label], 1)).chunk(2, 1)

    def decode(z, label):
        return decoder(torch.cat([z, label], 1)).view(-1, *SHAPE)

    label = torch.eye(5)[2]
    model = sb.wrap(encode, decode, image_shape=SHAPE, posterior="log-variance", condition=label)
    labels = label.expand(4, 5)
    assert torch.equal(model.encode(images)[0].loc, encode(images, labels)[0])
    z = torch.randn(4, 3)
    assert torch.equal(model.decode([z]).mean, decode(z, labels))
    assert "the condition is the same for every image" in model.assumptions
    attack(model, images[:2], images[2:], Output("l2"), **BRIEF)


def test_a_class_number_becomes_one_for_each_image(images):
    table = nn.Embedding(4, 36)
    model = sb.wrap(
        lambda x, k: (x.flatten(1) + table(k))[:, :3],
        lambda z, k: table(k).view(-1, *SHAPE) * z[:, :1, None, None],
        image_shape=SHAPE,
        condition=torch.tensor(3),
    )
    assert torch.equal(model.encode(images)[0].loc, (images.flatten(1) + table.weight[3])[:, :3])


@pytest.mark.parametrize("shape", [(1, 4, 9), (36,), (1, 36), (2, 2, 3, 3)])
def test_images_signals_volumes_and_rows_of_numbers(foreign, shape):
    model = sb.wrap(
        lambda x: foreign.encode(x.reshape(-1, *SHAPE)),
        lambda z: foreign.decode(z).view(-1, *shape),
        image_shape=shape,
        posterior="log-variance",
    )
    x = torch.rand(4, *shape, generator=torch.Generator().manual_seed(1))
    flat = attack(wrapped(foreign), x[:2].view(2, *SHAPE), x[2:].view(2, *SHAPE), Latent(), **BRIEF)
    for objective in (Latent(), Output(samples=1), Output("l2")):
        found = attack(model, x[:2], x[2:], objective, **BRIEF)
        assert found.adversarial.shape == (2, 2, *shape)
        assert assess(model, found, samples=1).adversarial_reconstruction.shape == (2, 2, *shape)
        if objective == Latent():
            torch.testing.assert_close(found.adversarial.view_as(flat.adversarial), flat.adversarial)
    attack(model, x[:2], None, Damage(), sb.Ball([0.5]), Cold(3))


def test_sides_of_any_size(images):
    torch.manual_seed(0)
    encoder, decoder = nn.Conv2d(1, 4, 2, 2), nn.ConvTranspose2d(2, 1, 2, 2)
    model = sb.wrap(lambda x: encoder(x).chunk(2, 1), decoder, image_shape=(1, None, None), posterior="log-scale")
    for height, width in ((6, 6), (8, 12)):
        x = torch.rand(2, 1, height, width)
        found = attack(model, x[:1], x[1:], Latent(), **BRIEF)
        assert assess(model, found, samples=1).source_reconstruction.shape == (1, 1, height, width)
    with pytest.raises(InputError, match=r"decode: gives images of shape \(1, 1, 6, 6\) for \(1, 1, 7, 7\)"):
        attack(model, torch.rand(1, 1, 7, 7), torch.rand(1, 1, 7, 7))
    with pytest.raises(InputError, match=r"images of shape \(3, 6, 6\): the model takes \(1, None, None\)"):
        attack(model, torch.rand(1, 3, 6, 6), torch.rand(1, 3, 6, 6))


def test_a_mixture_prior_is_used_where_it_is_given_and_its_absence_said(foreign, images):
    centres = torch.randn(4, 3)

    def prior(z):
        parts = Independent(Normal(centres, 1.0), 1)
        return MixtureSameFamily(Categorical(logits=torch.zeros(4)), parts)

    with_prior, without = wrapped(foreign, prior=prior), wrapped(foreign)
    assert NO_PRIOR not in with_prior.assumptions
    assert NO_PRIOR in without.assumptions
    q = with_prior.encode(images)
    z = [q[0].loc + q[0].scale]
    value = negative_elbo(with_prior, q, z, images)
    ratio = q[0].log_prob(z[0]).sum(1) - prior(z[0]).log_prob(z[0])
    torch.testing.assert_close(value, ratio - with_prior.decode(z).log_prob(images))
    assert attack(with_prior, images[:2], images[2:], Output(samples=2), **BRIEF).objective.isfinite().all()
    with pytest.raises(InputError, match="prior: must give a distribution for each of 1 layers"):
        wrapped(foreign, prior=lambda z: z)


def test_a_bernoulli_that_is_not_independent(foreign, images):
    model = sb.wrap(foreign.encode, lambda z: Bernoulli(foreign.decode(z)), image_shape=SHAPE, posterior="log-variance")
    found = attack(model, images[:2], images[2:], Output(samples=1), **BRIEF)
    assert assess(model, found, samples=1).nll.shape == (2, 2)
    assert IMAGE not in model.assumptions


def test_a_copy_shares_nothing(foreign):
    model = wrapped(foreign)
    copied = copy.deepcopy(model)
    shared = {p.data_ptr() for p in model.parameters()} & {p.data_ptr() for p in copied.parameters()}
    assert not shared
    with torch.no_grad():
        foreign.net[1].weight.zero_()
    x = torch.rand(1, *SHAPE)
    assert not torch.equal(model.encode(x)[0].loc, copied.encode(x)[0].loc)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"posterior": "sigma"}, "posterior 'sigma': must be one of log-variance"),
        ({"order": "up"}, "order 'up': must be one of bottom-first, top-first"),
        ({"decoder_sees": "top"}, "decoder_sees 'top': must be one of all, bottom"),
        ({"variance": 0.0}, "variance 0.0: must be a finite number > 0"),
        ({"image_shape": (1, 0, 6)}, r"image_shape \(1, 0, 6\): must be positive whole numbers"),
        ({"image_shape": 36}, "image_shape 36: must be positive whole numbers"),
        ({"image_shape": (None, 6)}, "image_shape .*: must be positive whole numbers"),
        ({"image_shape": (1, 7, 7)}, r"encode: fails on images of shape \(2, 1, 7, 7\): RuntimeError: mat1 and mat2"),
    ],
)
def test_a_setting_that_is_wrong_is_named(foreign, settings, message):
    with pytest.raises(InputError, match=message):
        wrapped(foreign, **settings)
