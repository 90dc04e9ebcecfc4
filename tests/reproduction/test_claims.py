"""Claims: what becomes of a contrast when the truth is known."""

import math
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Interval
from seatbelt_vae.reproduction import Contrast, Images, Results, Verdict, Word, gone, recipe, scale_of, tidy, verdicts
from seatbelt_vae.reproduction.attacks import attacks
from seatbelt_vae.reproduction.claims import decided
from seatbelt_vae.reproduction.points import BLEND, Point, seatbelt
from seatbelt_vae.reproduction.results import Place

SMOKE = scale_of("smoke")
SPRITES = Images("sprites")
ATTACKS = attacks(SMOKE, SPRITES)
COLD, PATH = ATTACKS["latent-cold"], ATTACKS["latent"]

Values = dict[tuple[Point, str, str], Tensor]


class Known(Results):
    """Results whose values are given: seeds × pairs, by point, measure and solver."""

    def __init__(self, values: Values) -> None:
        by_seed = dict.fromkeys(range(3), Record("run", "model"))
        super().__init__(SMOKE, (SPRITES,), {("sprites", point): by_seed for point, _, _ in values})
        object.__setattr__(self, "known", values)

    def values(self, images: Images, places: Sequence[Place], key: str) -> list[Tensor]:
        found = []
        for point, attack in places:
            solver = ""
            if attack:
                solver = attack.solver or "continuation"
            known: Values = self.known  # type: ignore[attr-defined]
            found.append(known.get((point, key, solver), torch.empty(0, 0)))
        return found


def decide(name: str, values: Values) -> list[Verdict]:
    made = recipe(name, SMOKE, SPRITES)
    return verdicts(made.claims, made.runs, Known(values), SPRITES)


def contrast(weights: Mapping[Point, float], values: Values, key: str = "auddc", **settings: object) -> Verdict:
    claim = Contrast("It rises", weights, (key,), {PATH: 1.0}, **settings)  # type: ignore[arg-type]
    (found,) = verdicts([claim], {}, Known(values), SPRITES)
    return found


def _noisy(mean: float, pairs: int = 40) -> Tensor:
    return mean + 0.01 * torch.randn(3, pairs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_true_gain_is_found_in_every_measure() -> None:
    low, high = seatbelt(1, 1), seatbelt(1, 10)
    values = {}
    for solver in ("cold", "continuation"):
        for point, better in ((low, 0.0), (high, 0.3)):
            values[point, "objective", solver] = _noisy(1 + 2 * better)
            values[point, "success_at_0.5", solver] = _noisy(0.6 - better)
            values[point, "auddc", solver] = _noisy(0.4 + better)
    found = [verdict for verdict in decide("fig5", values) if verdict.attack.startswith("latent")]
    assert [verdict.word for verdict in found] == [Word.HOLDS] * 6
    ratio = next(verdict for verdict in found if verdict.measure == "objective")
    assert ratio.effect.value == pytest.approx(1.6, abs=0.02)
    assert (ratio.seeds, ratio.pairs) == (3, 40)


def test_a_loss_does_not_hold_and_nothing_is_not_decided() -> None:
    low, high = seatbelt(1, 1), seatbelt(2, 10)
    for shift, word in ((-0.2, Word.FAILS), (0.0, Word.OPEN)):
        values = {
            (low, "auddc", "continuation"): _noisy(0.5),
            (high, "auddc", "continuation"): _noisy(0.5).flip(1) + shift,
        }
        found = {(verdict.attack, verdict.measure): verdict for verdict in decide("fig1", values)}
        assert found["latent, continuation", "auddc"].word == word
        assert found["latent, cold", "auddc"].reason == "it was not measured on these data"


def test_the_elbo_s_difference_of_differences() -> None:
    elbo = {seatbelt(1, 1): -10.0, seatbelt(1, 10): -50.0, seatbelt(2, 1): -12.0, seatbelt(2, 10): -22.0}
    values = {(point, "elbo", ""): value + torch.tensor([[0.0], [0.1], [0.2]]) for point, value in elbo.items()}
    (verdict,) = decide("fig3", values)
    assert verdict.effect.value == pytest.approx(30)
    assert verdict.word == Word.HOLDS


def test_ends_of_an_interval_are_possible_but_differences_may_be_negative() -> None:
    rarely = torch.zeros(3, 4)
    rarely[:, 0] = 0.04
    vae, high = seatbelt(1, 1), seatbelt(1, 10)
    key = "success_at_0.5"
    results = Known({(vae, key, "continuation"): rarely, (high, key, "continuation"): 0 * rarely})
    mean = results.effect(SPRITES, {(vae, PATH): 1.0}, key)
    less = results.effect(SPRITES, {(high, PATH): 1.0, (vae, PATH): -1.0}, key)
    assert mean.interval.value == pytest.approx(0.01)
    assert mean.interval.low == 0 < mean.interval.high
    assert less.interval.low < -0.01 < 0 < less.interval.high


def test_pairs_without_a_success_are_left_out_of_both() -> None:
    first, second = _noisy(0.5, 4), _noisy(0.7, 4)
    first[1, 2] = math.nan
    vae, high = seatbelt(1, 1), seatbelt(1, 10)
    known = {(vae, "auddc", "continuation"): first, (high, "auddc", "continuation"): second}
    found = Known(known).effect(SPRITES, {(high, PATH): 1.0, (vae, PATH): -1.0}, "auddc")
    assert found.pairs == 3
    assert found.interval.value == pytest.approx(0.2)
    with_cold = Known({**known, (vae, "auddc", "cold"): first + 0.1})
    less = with_cold.effect(SPRITES, {(vae, COLD): 1.0, (vae, PATH): -1.0}, "auddc")
    assert less.interval.value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ends", "size", "seeds", "word"),
    [
        ((1.2, 1.4), None, 3, Word.HOLDS),
        ((1.2, 1.4), 1.3, 3, Word.HOLDS),
        ((1.2, 1.4), 10.0, 3, Word.DIRECTION),
        ((1.2, 1.4), None, 1, Word.DIRECTION),
        ((0.9, 1.4), None, 3, Word.OPEN),
        ((0.7, 0.9), None, 3, Word.FAILS),
        ((math.nan, math.nan), None, 3, Word.OPEN),
    ],
)
def test_words(ends: tuple[float, float], size: float | None, seeds: int, word: Word) -> None:
    interval = Interval(sum(ends) / 2, *ends)
    assert decided(interval, neutral=1, rises=True, size=size, seeds=seeds) == word
    mirrored = Interval(2 - interval.value, 2 - ends[1], 2 - ends[0])
    mirrored_size = None if size is None else 2 - size
    assert decided(mirrored, neutral=1, rises=False, size=mirrored_size, seeds=seeds) == word


def test_no_gain_needs_an_interval_that_is_narrow() -> None:
    assert decided(Interval(0, -0.2, 0.2), neutral=0, rises=True, margin=0.05) == Word.OPEN
    assert decided(Interval(-0.3, -0.4, -0.2), neutral=0, rises=True, margin=0.05) == Word.HOLDS
    assert decided(Interval(-0.3, -0.4, -0.2), neutral=0, rises=False, margin=0.05) == Word.FAILS


@pytest.mark.parametrize(("value", "word"), [(0.3, Word.HOLDS), (0.5, Word.OPEN), (0.8, Word.FAILS)])
def test_a_bound_has_to_be_passed_and_not_only_approached(value: float, word: Word) -> None:
    vae, other = seatbelt(1, 1), seatbelt(1, 10)
    values = {(vae, "auddc", "continuation"): _noisy(1.0), (other, "auddc", "continuation"): _noisy(value).flip(1)}
    found = contrast({other: 1, vae: -1}, values, ratio=True, bound=0.5, rises=False)
    assert found.word == word
    assert found.ratio
    assert found.effect.value == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(("f50", "word"), [(0.4, Word.HOLDS), (0.35, Word.OPEN), (0.32, Word.FAILS)])
def test_half_of_the_way_to_the_blend(f50: float, word: Word) -> None:
    robust = seatbelt(1, 1).under((("robust.method", "adversarial"),))
    values = {
        (seatbelt(1, 1), "f50", "continuation"): _noisy(0.3),
        (BLEND, "f50", "continuation"): torch.full((3, 40), 0.4, dtype=torch.float64),
        (robust, "f50", "continuation"): _noisy(f50).flip(1),
    }
    found = contrast({robust: 1, seatbelt(1, 1): -0.5, BLEND: -0.5}, values, "f50")
    assert found.word == word


def test_a_broken_attack_is_told_from_a_robust_model() -> None:
    def verdict(attack: str, word: Word) -> Verdict:
        return Verdict("c", "d", attack, "auddc", Interval(0, 0, 0), False, "", None, 3, 40, word)

    broken = verdict("latent, cold", Word.HOLDS), verdict("latent, continuation", Word.OPEN)
    stays = verdict("output, cold", Word.HOLDS), verdict("output, continuation", Word.DIRECTION)
    assert gone([*broken, *stays]) == [broken]


def test_a_recipe_s_rows_are_tidy() -> None:
    values = {(seatbelt(1, 1), "weight_norms@encoder", ""): torch.tensor([[2.0], [8.0]])}
    made = recipe("table1", SMOKE, SPRITES)
    (row,) = tidy(made.runs, made.shown, Known(values), SPRITES)
    assert (row["label"], row["measure"], row["attack"]) == ("VAE (β=1)", "weight_norms@encoder", "")
    assert row["value"] == pytest.approx(4)  # a geometric mean
