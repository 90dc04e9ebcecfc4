r"""Reference lines that no model sets: how robust an autoencoder can be at all.

A number for a model means something only beside these, at the same pairs of images:

- *blend*: the source is mixed with the target, without a gradient.
- *PCA* with as many components as reach the model's MSE, attacked in closed form.
- *identity*: a perfect autoencoder. Its AUDDC and f50 are exactly ½. By symmetry (x → x_t and x_t → x share the
  midpoint) no smooth map lies far above.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.auddc import auddc, interpolate
from seatbelt_vae.metrics.f50 import f50
from seatbelt_vae.metrics.passes import Images
from seatbelt_vae.metrics.robustness import MINIMUM_GAP, attack_success, distance, success_is_defined, with_axes_of

FIRST_RANK = 64
POWER_ITERATIONS = 8


@dataclass(frozen=True)
class Reference:
    """A reference line at P pairs of images and R radii; no unit.

    Attributes:
        name: "blend", "PCA" or "identity".
        f50: smallest relative distortion at which success reaches ½, (P,).
        auddc: area under the distortion–distortion curve, (P,).
        amplification: ‖rec(x + d) − rec(x)‖/ε for the worst d of norm ε, (P, R).
    """

    name: str
    f50: Tensor
    auddc: Tensor
    amplification: Tensor


@dataclass(frozen=True)
class PCA:
    """A linear autoencoder.

    Attributes:
        mean: of the images, (C, H, W).
        components: orthonormal rows V, (K, C·H·W).
        mse: mean squared error on the images that it was fitted to, in squared units of the data.
    """

    mean: Tensor
    components: Tensor
    mse: float

    def reconstruct(self, x: Tensor) -> Tensor:
        r"""The projection :math:`m + V^T V (x - m)` of images (B, C, H, W)."""
        return self.mean + self.project(x - self.mean)

    def project(self, d: Tensor) -> Tensor:
        r"""The part :math:`V^T V d` that the components see, of (B, C, H, W)."""
        seen = d.flatten(1) @ self.components.T
        return (seen @ self.components).view_as(d)


def identity(pairs: int, radii: Tensor) -> Reference:
    """The identity: s = ‖d‖/‖x − x_t‖, so f50 and AUDDC are ½ and the amplification is 1.

    Args:
        pairs: P.
        radii: ε, shape (R,).

    Example:
        >>> identity(2, torch.tensor([0.5])).auddc
        tensor([0.5000, 0.5000])
    """
    half = torch.full((pairs,), 0.5).to(radii)
    return Reference("identity", half, half, torch.ones(pairs, len(radii)).to(radii))


def blend_path(source: Tensor, target: Tensor, steps: int) -> Tensor:
    r"""Images on the straight way, :math:`x_s = x + s (x_t - x)` for `steps` equally spaced s from 0 to 1.

    Args:
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        steps: K, 2 at least.

    Returns:
        Shape (P, K, C, H, W), within the data's bounds as x and x_t are.

    Raises:
        InputError: `steps` is below 2, or the shapes differ.

    Example:
        >>> blend_path(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), steps=3).flatten()
        tensor([0.0000, 0.5000, 1.0000])
    """
    if steps < 2 or source.shape != target.shape:
        raise InputError(
            f"blend: {steps} steps between {tuple(source.shape)} and {tuple(target.shape)}; "
            "expected at least 2, and one shape"
        )
    shares = torch.linspace(0, 1, steps).to(source)[None]
    return torch.lerp(source[:, None], target[:, None], with_axes_of(shares, source[:, None]))


def blend(reconstructions: Tensor, source: Tensor, target: Tensor, radii: Tensor) -> Reference:
    """What a model makes of `blend_path`, measured as an attack is.

    Args:
        reconstructions: of every image of the path, (P, K, C, H, W); the first is rec(x), the last rec(x_t).
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        radii: ε at which the amplification is taken, (R,). Beyond x_t nothing more is gained.

    Returns:
        NaN for pairs where success is not defined, see `success_is_defined`.

    Raises:
        InputError: the shapes do not match.

    Example:
        >>> x, t = torch.zeros(1, 1, 1, 4), torch.ones(1, 1, 1, 4)
        >>> blend(blend_path(x, t, 9), x, t, torch.tensor([1.0])).f50
        tensor([0.5000])
    """
    P, K = reconstructions.shape[:2]
    clean = reconstructions[:, 0]
    best = reconstructions[:, -1]
    radii = radii.to(source)
    shares = torch.linspace(0, 1, K).to(source).expand(P, K)
    success = attack_success(reconstructions, clean, best, target)
    damage = distance(reconstructions, clean).cummax(-1).values
    at = (radii / distance(source, target)[:, None]).clamp(max=1)
    moved = torch.stack([interpolate(*pair) for pair in zip(shares, damage, at, strict=True)])
    undefined = ~success_is_defined(clean, best, target)
    return Reference(
        name="blend",
        f50=f50(shares, success).masked_fill(undefined, math.nan),
        auddc=auddc(shares, success).masked_fill(undefined, math.nan),
        amplification=moved / radii,
    )


def fit_pca(images: Images, mse: float) -> PCA:
    """PCA with as few components as reach a mean squared error on the given images.

    Deterministic: block power iterations from a fixed seed, with twice as many components until they are enough.

    Args:
        images: N images, a tensor (N, C, H, W) or a data set; all are held in memory.
        mse: the error wanted, such as a model's, in squared units of the data.

    Raises:
        InputError: there are fewer than two images, or `mse` is not above 0.

    References:
        Halko, Martinsson & Tropp 2011, Finding Structure with Randomness.

    Example:
        >>> line = torch.linspace(0, 1, 8).view(8, 1, 1, 1).expand(8, 1, 2, 2)
        >>> fit_pca(line, mse=1e-6).components.shape
        torch.Size([1, 4])
    """
    if len(images) < 2 or not mse > 0:
        raise InputError(f"PCA: {len(images)} images and mse {mse}; expected 2 at least, and an mse above 0")
    x = images[: len(images)]
    mean = x.mean(0)
    centred = (x - mean).flatten(1)
    total = float(centred.double().square().sum())
    largest = min(centred.shape)
    rank = min(FIRST_RANK, largest)
    while True:
        singular, components = _singular(centred, rank)
        rest = (total - singular.double().square().cumsum(0)).clamp(min=0) / centred.numel()
        enough = rest <= mse
        if enough.any() or rank == largest:
            break
        rank = min(2 * rank, largest)
    K = min(rank, int((~enough).sum()) + 1)
    return PCA(mean, components[:, :K].T.contiguous(), float(rest[K - 1]))


def attack_pca(pca: PCA, source: Tensor, target: Tensor, radii: Tensor) -> Reference:
    r"""The targeted attack on a linear projector, in closed form; the bounds of the data are ignored.

    rec(x + d) = rec(x) + Pd with P = VᵀV, so the best d of norm ε lies in the span of V and points along
    u = P(x_t − x). With b = ‖rec(x_t) − x_t‖ and a = ‖u‖,

    .. math:: \|rec(x + d) - x_t\| = \sqrt{(a - \epsilon)_+^2 + b^2}

    Success ½ and the area follow; the amplification is 1. With bounds an attack can only gain less.

    Args:
        pca: the projector.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
        radii: ε at which the amplification is taken, (R,).

    Returns:
        NaN for pairs where success is not defined, see `success_is_defined`.

    Example:
        >>> pca = PCA(torch.zeros(1, 1, 2), torch.tensor([[1.0, 0.0]]), mse=0.0)
        >>> x, t = torch.zeros(1, 1, 1, 2), torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
        >>> attack_pca(pca, x, t, torch.tensor([0.5])).f50
        tensor([0.5000], dtype=torch.float64)
    """
    apart, a, b = _triangle(pca, source, target)
    clean = torch.hypot(a, b)
    gap = clean - b
    halfway = (clean + b) / 2
    distortion = a - (halfway.square() - b.square()).clamp(min=0).sqrt()
    # ∫ (√(t² + b²) − b) dt from 0 to a
    asinh = torch.where(b > 0, (a / b).asinh(), 0.0)
    lost = (a * clean + b.square() * asinh) / 2 - a * b
    undefined = gap <= MINIMUM_GAP * clean
    return Reference(
        name="PCA",
        f50=(distortion / apart).masked_fill(undefined, math.nan),
        auddc=(lost / (apart * gap)).masked_fill(undefined, math.nan),
        amplification=torch.ones(len(a), len(radii)).to(a),
    )


def pca_success(pca: PCA, source: Tensor, target: Tensor, distortion: Tensor) -> Tensor:
    """Success of the attack of `attack_pca` with distortion ‖d‖ (P, K), shape (P, K)."""
    _, a, b = _triangle(pca, source, target)
    clean = torch.hypot(a, b)
    left = (a[:, None] - distortion).clamp(min=0)
    reached = torch.hypot(left, b[:, None])
    return (clean[:, None] - reached) / (clean - b)[:, None]


def _triangle(pca: PCA, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """‖x_t − x‖, ‖P(x_t − x)‖ and ‖rec(x_t) − x_t‖ of each pair, float64."""
    seen = pca.project(target - source)
    apart = distance(target, source)
    missed = distance(pca.reconstruct(target), target)
    return apart.double(), seen.flatten(1).double().norm(dim=1), missed.double()


def _singular(centred: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The largest singular values (rank,) and their right vectors (D, rank)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, singular, components = torch.svd_lowrank(centred, q=rank, niter=POWER_ITERATIONS)
    return singular, components
