"""How large the paper is reproduced: in minutes, in hours on a laptop, or as it was."""

import difflib
from dataclasses import dataclass

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import DataSpec


@dataclass(frozen=True)
class Scale:
    """Sizes of everything.

    Attributes:
        name: what ``--scale`` calls it.
        size: side of the images, pixels.
        size_more: which else, to see what depends on that.
        count: images drawn of sprites; None for all. Other data are taken whole.
        network: of encoder and decoder.
        hidden_sizes: of the conditionals between layers; None for the model's own.
        steps: of the training.
        batch_size: of the gradient.
        tc_samples: examples over which the total correlation is estimated.
        tc_more: over which else, to see what depends on that.
        free_bits: nats of KL that each dimension has for nothing; 0.125 is in the authors' file names.
        free_more: how many else.
        precision: of the networks in training.
        seeds: of the training.
        betas: β, ascending; the first is 1, where every model is trained on its ELBO.
        layers: L, ascending; the first is 1.
        deep: the L of what the paper shows for L = 4.
        pairs: of source and target.
        lambdas: weights of the distortion, "paper" for its 51.
        output_every: of which an output attack, three times as dear, takes every so many.
        everywhere: attack every model in every way; else in every way only those that claims compare, the others with
            the strongest latent attack alone.
        iterations: of one solve from a cold start at most; None for the solver's own.
        warm_iterations: of one that starts from what its neighbours found.
        samples: of the noise in output attacks; None for the attack's own.
        aggregate_samples: at which aggregate posteriors are evaluated.
        step_seconds: what a training step takes on one CPU core, about.
        solve_seconds: what one pair at one λ takes there, about.
        memory: of the device for the largest model, GB, about: what autograd keeps, and four copies of the weights.
    """

    name: str
    size: int
    size_more: int
    count: int | None
    network: str
    hidden_sizes: tuple[int, ...] | None
    steps: int
    batch_size: int
    tc_samples: int
    tc_more: tuple[int, ...]
    free_bits: float
    free_more: tuple[float, ...]
    precision: str
    seeds: tuple[int, ...]
    betas: tuple[float, ...]
    layers: tuple[int, ...]
    deep: int
    pairs: int
    lambdas: str | tuple[float, ...]
    output_every: int
    everywhere: bool
    iterations: int | None
    warm_iterations: int | None
    samples: int | None
    aggregate_samples: int
    step_seconds: float
    solve_seconds: float
    memory: float

    @property
    def high(self) -> float:
        """The largest β."""
        return self.betas[-1]

    def data(self, name: str) -> DataSpec:
        """The data of a name or path at this scale."""
        return DataSpec(name=name, size=self.size, count=self.count if name == "sprites" else None)


def octaves(low: float, high: float, step: float) -> tuple[float, ...]:
    """Powers of two at equal steps of the exponent.

    Example:
        >>> octaves(-1, 1, 1)
        (0.5, 1.0, 2.0)
    """
    return tuple(2.0 ** (low + step * place) for place in range(round((high - low) / step) + 1))


SMOKE = Scale(
    name="smoke", size=32, size_more=28, count=400, network="tiny", hidden_sizes=(32,), steps=40, batch_size=32,
    tc_samples=64, tc_more=(128,), free_bits=0.125, free_more=(0.0,), precision="float32", seeds=(0, 1), betas=(1, 10),
    layers=(1, 2), deep=2, pairs=2, lambdas=(0.1, 1.0, 10.0), output_every=1, everywhere=False, iterations=4,
    warm_iterations=4, samples=1, aggregate_samples=50, step_seconds=0.03, solve_seconds=0.02, memory=0.2,
)  # fmt: skip
LAPTOP = Scale(
    name="laptop", size=32, size_more=64, count=20_000, network="conv", hidden_sizes=None, steps=1000, batch_size=128,
    tc_samples=128, tc_more=(1024, 2048), free_bits=0.125, free_more=(0.0, 0.5), precision="bfloat16", seeds=(0, 1, 2),
    betas=(1, 4, 10), layers=(1, 4), deep=4, pairs=40, lambdas=octaves(-4, 10, 0.4), output_every=2, everywhere=False,
    iterations=100, warm_iterations=None, samples=1, aggregate_samples=1000, step_seconds=0.12, solve_seconds=0.035,
    memory=0.2,
)  # fmt: skip
# The paper gives its grid, but neither its number of steps nor of seeds: those are ours.
PAPER = Scale(
    name="paper", size=64, size_more=32, count=None, network="conv", hidden_sizes=None, steps=25_000, batch_size=1024,
    tc_samples=1024, tc_more=(128, 2048), free_bits=0.125, free_more=(0.0, 0.5), precision="float32", seeds=(0, 1, 2),
    betas=(1, 2, 4, 6, 8, 10), layers=(1, 2, 3, 4, 5), deep=4, pairs=10, lambdas="paper", output_every=1,
    everywhere=True, iterations=None, warm_iterations=None, samples=None, aggregate_samples=10_000, step_seconds=2.4,
    solve_seconds=0.3, memory=1.5,
)  # fmt: skip
SCALES = {scale.name: scale for scale in (SMOKE, LAPTOP, PAPER)}
"""Scales by name."""


def scale_of(name: str) -> Scale:
    """Look a scale up.

    Raises:
        InputError: there is none of that name.

    Example:
        >>> scale_of("laptop").betas
        (1, 4, 10)
    """
    if name not in SCALES:
        near = difflib.get_close_matches(name, list(SCALES), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"--scale: {name!r} is unknown{hint}, use one of {', '.join(SCALES)}")
    return SCALES[name]
