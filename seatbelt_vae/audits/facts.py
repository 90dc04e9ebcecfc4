"""What a model is, found out by asking it a few times: is it a function, of each image alone, of the image at all?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seatbelt_vae.attacks.probe import called
from seatbelt_vae.attacks.protocol import Attackable, mean_image, parts, place, posteriors
from seatbelt_vae.errors import InputError

SAME = 1e-3
"""Share of the spread between images below which two answers are the same but for rounding."""

INVALID = "Expected parameter"
"""How a distribution of torch begins to say that a parameter is NaN."""

ASKED = 4
"""Images that are asked about."""


@dataclass(frozen=True)
class Facts:
    """How a model answers. Shares are of the spread of its answers between images.

    Attributes:
        image_shape: (C, H, W); (C, D, H, W) of volumes, (C, T) of signals.
        latent_shapes: of each layer, bottom first.
        scale: smallest, median and largest σ.
        relative_scale: median σ over the spread of the means between images.
        encoder_random: by what share an encoding changes when it is asked for again.
        decoder_random: the same of a decoded image.
        batch: by what share an answer depends on the other images of the batch; NaN where it is random.
        training: by what share the reconstruction changes in training mode; 0 for a model that was not in it.
        silent: share of the pairs for which a code is not finite or a scale not above 0.
        deterministic: whether the code has no distribution, by the model's own word.
        assumptions: what an adapter took for granted.
    """

    image_shape: tuple[int, ...]
    latent_shapes: tuple[tuple[int, ...], ...]
    scale: tuple[float, float, float]
    relative_scale: float
    encoder_random: float
    decoder_random: float
    batch: float
    training: float
    silent: float
    deterministic: bool
    assumptions: tuple[str, ...]

    @property
    def random(self) -> bool:
        """Whether it says something else when it is asked again."""
        return max(self.encoder_random, self.decoder_random) > SAME

    @property
    def mixes(self) -> bool:
        """Whether it mixes the images of a batch."""
        return self.batch > SAME


@torch.no_grad()
def answered(model: Attackable, images: Tensor) -> Tensor:
    """For which images (N, …) the model gives finite codes with scales above 0, and a finite output, (N,).

    Raises:
        InputError: it cannot encode or decode such images.
    """
    found = []
    for part in parts(images):
        try:
            found.append(_speaks(model, images[part]))
        except InputError as error:
            if INVALID not in str(error):
                raise
            found += [_valid(model, images[i : i + 1]) for i in part.tolist()]
    return torch.cat(found)


def _speaks(model: Attackable, images: Tensor) -> Tensor:
    x = place(model, images)
    q = called("encode", x, lambda: posteriors(model, x))
    made = called("decode", x, lambda: model.decode([layer.loc for layer in q]).mean)
    good = made.flatten(1).isfinite().all(1)
    for layer in q:
        good = good & (layer.loc.isfinite() & (layer.scale > 0) & layer.scale.isfinite()).flatten(1).all(1)
    return good.cpu()


def _valid(model: Attackable, image: Tensor) -> Tensor:
    """The same of one image, where distributions check their parameters."""
    try:
        return _speaks(model, image)
    except InputError:
        return torch.tensor([False])


@torch.no_grad()
def examine(model: Attackable, given: Any, images: Tensor, silent: float = 0.0) -> Facts:
    """Ask a model about a few images.

    Args:
        model: the copy that is audited, in evaluation mode.
        given: the model as it was handed over.
        images: (N, C, H, W), for which it speaks if it does for any.
        silent: share of the pairs for which it says nothing finite.

    Raises:
        InputError: it cannot encode or decode such images.
    """
    x = place(model, images[:ASKED])
    codes, scales = _asked(model, x)
    encode = lambda part: torch.cat([layer.flatten(1) for pair in _asked(model, part) for layer in pair], 1)  # noqa: E731
    decode = lambda part: model.decode([code[part] for code in codes]).mean.flatten(1)  # noqa: E731
    everything = torch.arange(len(x))
    encoding = encode(x)
    picture = decode(everything)
    encoder_random = _share(encode(x), encoding)
    decoder_random = _share(decode(everything), picture)
    batch = torch.nan
    if max(encoder_random, decoder_random) <= SAME:
        alone = torch.cat([encode(x[i : i + 1]) for i in range(len(x))])
        decoded = torch.cat([decode(everything[i : i + 1]) for i in range(len(x))])
        batch = max(_share(alone, encoding), _share(decoded, picture))
    sigma = torch.cat([scale.flatten() for scale in scales]).double()
    spread = torch.cat([_spread(code).expand(1) for code in codes]).max()
    return Facts(
        image_shape=tuple(x.shape[1:]),
        latent_shapes=tuple(tuple(code.shape[1:]) for code in codes),
        scale=(float(sigma.min()), float(sigma.median()), float(sigma.max())),
        relative_scale=float(sigma.median() / spread.clamp(min=1e-30)),
        encoder_random=encoder_random,
        decoder_random=decoder_random,
        batch=float(batch),
        silent=silent,
        training=_in_training(model, given, x),
        deterministic=bool(getattr(given, "deterministic", False)),
        assumptions=tuple(str(words) for words in getattr(given, "assumptions", ())),
    )


def _asked(model: Attackable, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Means and scales of every layer."""
    q = posteriors(model, x)
    if not q or any(len(layer.loc) != len(x) for layer in q):
        raise InputError(f"encode: gives no posterior for each of {len(x)} images; needs Normals of batch size first")
    return [layer.loc for layer in q], [layer.scale for layer in q]


def _spread(answers: Tensor) -> Tensor:
    """Root mean square distance of answers from their mean."""
    flat = answers.flatten(1).double().nan_to_num(0.0, 0.0, 0.0)
    return (flat - flat.mean(0)).square().sum(1).mean().sqrt()


def _share(answers: Tensor, before: Tensor) -> float:
    """How far answers moved, as a share of their spread, or of their size where they have none."""
    moved = (answers - before).double().nan_to_num(0.0, 0.0, 0.0).flatten(1).norm(dim=1).max()
    size = before.double().nan_to_num(0.0, 0.0, 0.0).flatten(1).norm(dim=1).max()
    unit = torch.maximum(_spread(before), SAME * size).clamp(min=1e-30)
    return float(moved / unit)


def _in_training(model: Attackable, given: Any, x: Tensor) -> float:
    """By what share a model that was handed over in training mode says something else in that mode."""
    if not isinstance(given, nn.Module) or not isinstance(model, nn.Module):
        return 0.0
    trained = [name for name, module in given.named_modules() if module.training]
    if not trained:
        return 0.0
    answer: Callable[[], Tensor] = lambda: mean_image(model, x).flatten(1)  # noqa: E731
    before = answer()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modules = dict(model.named_modules())
    for name in trained:
        modules[name].training = True
    share = _share(answer(), before)
    model.eval()
    model.load_state_dict(state)
    return share


def words_of(shapes: Sequence[Sequence[int]]) -> str:
    """Shapes of layers in words.

    Example:
        >>> words_of([(10,), (4, 8, 8)])
        '10 + 4×8×8'
    """
    return " + ".join("×".join(map(str, shape)) for shape in shapes)
