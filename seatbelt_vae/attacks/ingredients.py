"""What an attack needs to be told before it starts: checked, placed, and drawn."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.errors import InputError

START, NUDGE = 1e-8, 1e-2
"""How far from the source, a pixel at most, attacks begin: those with a target nearly there, those for damage where the
gradient is not 0, as that of a divergence is at the source itself."""


def paper_lambdas(count: int = 50, lowest: float = -20.0, highest: float = 20.0) -> Tensor:
    r"""The paper's penalties: 0 and 2^c for c in equal steps; 51 values from 0 to 2^20.

    Example:
        >>> paper_lambdas().shape, paper_lambdas()[[0, 1, -1]]
        (torch.Size([51]), tensor([0.0000e+00, 9.5367e-07, 1.0486e+06]))
    """
    return torch.cat([torch.zeros(1), 2.0 ** torch.linspace(lowest, highest, count)])


def check_lambdas(lambdas: str | Tensor | Sequence[float], name: str = "lambdas") -> Tensor:
    """The penalties, or what else has that `name`, as an ascending tensor, (K,).

    Raises:
        InputError: an unknown name, none at all, one that is negative or not finite.

    Example:
        >>> check_lambdas([4.0, 0.0, 1.0])
        tensor([0., 1., 4.])
    """
    if isinstance(lambdas, str):
        if lambdas != "paper":
            raise InputError(f"lambdas {lambdas!r}: must be 'paper' or numbers >= 0")
        return paper_lambdas()
    grid = torch.as_tensor(lambdas, dtype=torch.get_default_dtype()).flatten()
    if len(grid) == 0 or not bool(torch.isfinite(grid).all()) or bool((grid < 0).any()):
        raise InputError(f"{name} {grid.tolist()}: must be one or more finite numbers, zero or more each")
    return grid.unique(sorted=True)


def check_images(source: Tensor, target: Tensor, bounds: tuple[float, float]) -> None:
    """Refuse images that the bounded problem cannot start from.

    Raises:
        InputError: shapes differ or are not (P, C, H, W), no pair, a NaN, a value out of bounds.

    Example:
        >>> check_images(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8), (0.0, 1.0))
    """
    if source.shape != target.shape or source.dim() != 4 or len(source) == 0:
        shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
        raise InputError(f"source and target: must both be (pairs, C, H, W) with a pair at least, got {shapes}")
    if not bounds[0] < bounds[1]:
        raise InputError(f"bounds {bounds}: the lower must be below the upper")
    for name, images in (("source", source), ("target", target)):
        if not bool(torch.isfinite(images).all()):
            raise InputError(f"{name}: holds NaN or infinite pixels; every pixel must be in {list(bounds)}")
        low, high = images.min().item(), images.max().item()
        if low < bounds[0] or high > bounds[1]:
            raise InputError(f"{name}: pixels from {low:g} to {high:g} are outside of bounds {list(bounds)}")


def place(model: Attackable, images: Tensor) -> Tensor:
    """Images on the model's device and in its dtype; uint8 is refused, as its scale is anyone's guess.

    Raises:
        InputError: not floating point.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> place(vae((1, 28, 28), network="mlp"), torch.zeros(1, 1, 28, 28, dtype=torch.float64)).dtype
        torch.float32
    """
    if not images.is_floating_point():
        raise InputError(f"images of dtype {images.dtype}: must be floating point; divide 8-bit images by 255")
    parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return images.detach() if parameter is None else images.detach().to(parameter)


def draw_per_pair(
    source: Tensor, shapes: Sequence[torch.Size], samples: int, seed: int, reach: float = START
) -> tuple[Tensor, list[Tensor] | None]:
    """Starting points U(±`reach`), (P, n), and `samples` sets of normal noise per layer, (P, S, …); pair by pair.

    Raises:
        InputError: a negative number of samples.

    Example:
        >>> start, noise = draw_per_pair(torch.zeros(3, 1, 2, 2), [torch.Size([5])], samples=2, seed=0)
        >>> start.shape, noise[0].shape
        (torch.Size([3, 4]), torch.Size([3, 2, 5]))
    """
    if samples < 0:
        raise InputError(f"samples {samples}: must be zero (follow the means) or more")
    starts, noises = [], []
    for pair in range(len(source)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + pair)
        starts.append(reach * (2 * torch.rand(source[0].numel(), generator=generator) - 1))
        noises.append([torch.randn(samples, *shape, generator=generator) for shape in shapes])
    noise = [torch.stack(layer).to(source) for layer in zip(*noises, strict=True)] if samples else None
    return torch.stack(starts).to(source), noise
