"""Doing what recipes ask for: every run once, on from where it was, and the blend beside the models."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from seatbelt_vae.attacks import Cold, Penalty, attack
from seatbelt_vae.experiments import Cell, Record, Table
from seatbelt_vae.experiments.engines import Resources, make_engine
from seatbelt_vae.measures import Attacked
from seatbelt_vae.reproduction import Results, plan, reproduce, scale_of, so_far
from seatbelt_vae.reproduction.blend import blended
from seatbelt_vae.reproduction.points import BLEND, VAE

TINY = replace(
    scale_of("smoke"),
    steps=2,
    batch_size=8,
    tc_samples=16,
    seeds=(0,),
    iterations=2,
    warm_iterations=2,
    conditions={"ways": ((),)},
)


class Identity:
    """A perfect autoencoder of four pixels."""

    latent_sizes = (4,)
    decoder_sees = (0,)

    def encode(self, x: Tensor, noise: Any = None) -> tuple[Normal, ...]:
        loc = x.flatten(1)
        return (Normal(loc, torch.full_like(loc, 1e-3)),)

    def decode(self, z: Any) -> Independent:
        loc = z[0].unflatten(1, (1, 2, 2))
        return Independent(Normal(loc, torch.ones_like(loc)), 3)


def test_the_blend_of_a_perfect_autoencoder_is_halfway_at_half_of_the_way() -> None:
    source = torch.tensor([0.0, 0.2, 0.9, 0.1]).view(1, 1, 2, 2)
    target = torch.tensor([1.0, 0.3, 0.4, 0.8]).view(1, 1, 2, 2)
    result = attack(Identity(), source, target, budget=Penalty([1.0]), solver=Cold(max_iterations=1))
    seen = SimpleNamespace(result=result, assessment=None)
    record = Record("run", "VAE", evaluation={"mse": 0.0}, attacks={"latent": seen})  # type: ignore[dict-item]
    folder: Any = SimpleNamespace(record=lambda: record, model=lambda: Identity())
    found = blended(folder)
    assert isinstance(found.attacks["latent"], Attacked)
    table = Table([found])
    cell = Cell(found, "latent")
    assert table.values(cell, "f50").item() == pytest.approx(0.5, abs=1e-6)
    assert table.values(cell, "auddc").item() == pytest.approx(0.5, abs=1e-6)
    assert not table.values(Cell(found), "mse").numel()


def _reproduce(names: tuple[str, ...], data: Path, store: Path) -> tuple[Results, dict[str, str]]:
    planned = plan(names, TINY, [str(data)])
    return reproduce(planned, store, lambda: make_engine("in-process", store / "logs", Resources()), device="cpu")


def test_what_is_done_is_not_done_again_and_what_is_left_is_named(images_file: Path, tmp_path: Path) -> None:
    data = images_file
    results, failed = _reproduce(("fig5",), data, tmp_path)
    assert not failed
    assert results.data == ["noise"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert len(before) > 8
    _, missing = so_far(plan(("fig5", "fig8"), TINY, [str(data)]), tmp_path)
    assert sorted(missing.values()) == ["not trained yet"] * 2 + ["trained, measured and attacked in part"] * 2
    again, _ = _reproduce(("fig5",), data, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == before
    assert again.runs.keys() == results.runs.keys()


def test_the_ladder_has_the_blend_beside_the_vae(images_file: Path, tmp_path: Path) -> None:
    results, failed = _reproduce(("robust",), images_file, tmp_path)
    assert not failed
    assert {point.model for _, point in results.runs} == {"beta-tcvae", "seatbelt", "blend"}
    (vae,) = results.records(results.images[0], VAE)
    (blend,) = results.records(results.images[0], BLEND)
    targeted = {name for name, attacked in vae.attacks.items() if attacked.result.targeted}
    assert set(blend.attacks) == targeted
    assert len(vae.attacks) == len(targeted) + 1  # that of damage
