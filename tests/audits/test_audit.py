"""An audit from end to end: its document, its figures, its words."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.audits import Audit, audit
from seatbelt_vae.audits.flags.flag import Flag
from seatbelt_vae.audits.record import read
from seatbelt_vae.audits.suite import SUITES, suite_of
from seatbelt_vae.audits.verdict import sentence
from seatbelt_vae.data import Pairs
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import Interval
from seatbelt_vae.models.lipschitz import Constants
from tests.audits.base import Small
from tests.audits.planted import plant


def test_it_is_read_as_it_was_written(honest: Audit, tmp_path: Path) -> None:
    path = honest.save(tmp_path / "audit")
    loaded = Audit.load(tmp_path / "audit")
    assert loaded.record == honest.record
    assert loaded.tensors.keys() == honest.tensors.keys()
    for name, tensor in loaded.tensors.items():
        assert torch.equal(tensor, honest.tensors[name])
    document = json.loads(path.read_text())
    assert document["version"] == 1
    assert set(document["flags"]["transfer_better"]) == {"raised", "value", "rule", "advice", "information"}


def test_other_documents_are_refused(honest: Audit) -> None:
    document = honest.record.model_dump(mode="json")
    with pytest.raises(InputError, match="audit of version 2"):
        read({**document, "version": 2}, "a.json")
    with pytest.raises(InputError, match="is no audit"):
        read([], "a.json")
    with pytest.raises(InputError, match=r"a\.json: pairs: "):
        read({**document, "pairs": "many"}, "a.json")


def test_the_summary_is_short_and_leads_with_the_verdict(honest: Audit) -> None:
    lines = str(honest).splitlines()
    assert len(lines) <= 15
    assert lines[1] == honest.record.sentence


def test_the_worst_case_is_no_better_than_any_attack(honest: Audit) -> None:
    values = honest.record.values["f50"]
    for attack in honest.record.attacks:
        if attack.f50 is not None and attack.f50.value is not None:
            assert sum(value for value in values if value is not None) / len(values) <= attack.f50.value + 1e-6
    success = [each.value for each in honest.record.curve.success]
    assert success == sorted(success, key=lambda value: value or 0.0)


def test_images_stay_within_bounds_and_are_what_the_figures_are_of(honest: Audit) -> None:
    source = honest.tensors["source"]
    target = honest.tensors["target"]
    worst = honest.tensors["worst"]
    assert float(worst.min()) >= 0
    assert float(worst.max()) <= 1
    apart = (target - source).flatten(1).norm(dim=1)
    moved = (worst - source[:, None]).flatten(2).norm(dim=2)
    torch.testing.assert_close(moved / apart[:, None], honest.tensors["worst_distortion"])


def test_the_same_seed_draws_the_same(base: Small, images: Tensor) -> None:
    found = [audit(base, images, suite="signs", pairs=2, seed=seed) for seed in (1, 1, 2)]
    assert found[0].record.values == found[1].record.values
    assert found[0].record.images_digest != found[2].record.images_digest


def test_pairs_for_which_the_model_is_silent_are_left_out(base: Small, images: Tensor) -> None:
    model = plant("NaN for some images", base, images)
    spoken = model.features(images).isfinite().all(1)
    source = torch.stack([images[spoken][0], images[~spoken][0]])
    target = images[spoken][1:3]
    found = audit(model, Pairs(source, target, ""), suite="signs", pairs=2)
    assert found.record.pairs == 1
    assert found.flags["not_finite"].value == 0.5
    assert torch.equal(found.tensors["source"], source[:1])


def test_of_one_pair_the_scale_is_known_beside_the_spread(base: Small, images: Tensor) -> None:
    found = audit(base, images, suite="signs", pairs=1)
    assert 0 < found.record.probe.relative_scale < 10


def test_certified_margins_are_exact_for_the_identity(images: Tensor) -> None:
    class Identity:
        lipschitz = Constants(mean=1.0, scale=0.0, decoder=1.0)

        def encode(self, x: Tensor, noise: object = None) -> tuple[Normal, ...]:
            return (Normal(x, torch.ones_like(x)),)

        def decode(self, z: tuple[Tensor, ...]) -> Distribution:
            return Independent(Normal(z[0], torch.ones_like(z[0])), 3)

    found = audit(Identity(), images, suite="smoke", pairs=2).record.sandwich
    assert found.below == pytest.approx([0.5, 0.5], abs=1e-6)
    assert found.code_below == pytest.approx([1.0, 1.0], abs=1e-6)
    for above in found.above:
        assert above == pytest.approx(0.5, abs=0.01)


def test_a_flagged_model_is_never_called_robust() -> None:
    f50_of = {"f50": Interval(0.49, 0.48, 0.5)}
    references = {"blend": {"f50": 0.5}}
    flag = Flag("gradient_zero", True, 1.0, "rule", "advice.")
    words = sentence(f50_of, references, {"gradient_zero": flag})
    assert "robust" not in words
    assert "gradient_zero" in words
    assert sentence(f50_of, references, {}).startswith("As robust as mixing allows")
    known = Flag("deterministic_code", True, 0.0, "rule", "advice.", information=True)
    assert sentence(f50_of, references, {"deterministic_code": known}).startswith("As robust")
    alone = {"f50": Interval(0.4, math.nan, math.nan)}
    assert sentence(alone, references, {}).startswith("Too few pairs to judge by: half of a success needs 0.40 of")


@pytest.mark.parametrize("name", SUITES)
def test_suites_have_one_attack_of_a_name_and_the_kinds_that_are_promised(name: str) -> None:
    entries = suite_of(name)
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names)
    assert {"latent-kl", "output"} <= set(names)
    for entry in entries:
        assert not (entry.prices and entry.radii)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"suite": "huge"}, "suite 'huge'"),
        ({"pairs": 0}, "pairs 0"),
        ({"pairs": 40}, "40 pairs need 80 different images"),
        ({"bounds": (0.2, 0.5)}, "outside of bounds"),
    ],
)
def test_bad_input_gets_a_line(base: Small, images: Tensor, given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        audit(base, images, **{"suite": "smoke", "pairs": 2, **given})  # type: ignore[arg-type]


def test_images_of_the_wrong_shape_get_a_line(base: Small) -> None:
    with pytest.raises(InputError, match="encode: fails on images of shape"):
        audit(base, torch.rand(4, 1, 5, 5), pairs=2)
