"""Encoder and decoder as files for other programs: ONNX, or the graphs of ``torch.export``."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError, RunError, missing
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.storage import write_bytes

AGREES = 1e-5
"""How far the file's numbers may be from the model's."""
MOST = 65536
"""Images in a batch at most."""
BATCH = 3
"""Images of the batch that is traced, and compared."""

Kind = Literal["onnx", "torch"]


@dataclass(frozen=True)
class Part:
    """What one file holds: a module, an example of its inputs, and the names of inputs and outputs."""

    module: nn.Module
    example: tuple[Tensor, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """A file's content, and what runs it."""

    content: bytes
    run: Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Encoder(nn.Module):
    """Images (B, C, H, W) to the means and scales of every layer, (B, D_l) each: bottom first."""

    def __init__(self, model: HierarchicalVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Encode along the means."""
        parts: list[Tensor] = []
        for q in self.model.encode(x):
            parts += [q.loc, q.scale]
        return tuple(parts)


class Decoder(nn.Module):
    """Latents of every layer, bottom first, (B, D_l) each, to the mean image (B, C, H, W)."""

    def __init__(self, model: HierarchicalVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, *z: Tensor) -> Tensor:
        """Decode."""
        mean: Tensor = self.model.decode(z).mean
        return mean


def export(model: HierarchicalVAE, folder: str | Path, kind: Kind = "onnx") -> Path:
    """Write a model's encoder and decoder for programs that do not have this library.

    ``encoder.onnx`` takes images and gives ``loc_1, scale_1, loc_2, …``; ``decoder.onnx`` takes ``z_1, z_2, …`` and
    gives the mean image. The first dimension is the batch, of any size. With ``torch`` the files end in ``.pt2``, and
    `torch.export.load` reads them. Each file is run once: its numbers must be the model's to 10⁻⁵.

    Args:
        model: a model of this library, in any mode; it is exported in evaluation mode, in float32.
        folder: where to.
        kind: ``onnx`` or ``torch``.

    Returns:
        The folder.

    Raises:
        InputError: an unknown kind, a library that is missing.
        RunError: a file's numbers are not the model's, or the folder cannot be written.

    Example:
        >>> import tempfile
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 28, 28), latent_sizes=(4,), network="mlp")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(path.name for path in export(model, folder, "torch").iterdir())
        ['decoder.pt2', 'encoder.pt2']
    """
    if kind not in PROGRAMS:
        raise InputError(f"kind {kind!r}: must be one of {', '.join(PROGRAMS)}")
    suffix, program_of = PROGRAMS[kind]
    model = deepcopy(model).to("cpu", torch.float32).eval().requires_grad_(False)
    for name, part in _parts(model).items():
        path = Path(folder) / f"{name}{suffix}"
        program = program_of(part)
        _check(path, part, program)
        write_bytes(path, program.content)
    return Path(folder)


def _parts(model: HierarchicalVAE) -> dict[str, Part]:
    x = torch.rand(BATCH, *model.image_shape)
    z = tuple(q.loc for q in model.encode(x))
    layers = range(1, len(z) + 1)
    latents = tuple(f"z_{layer}" for layer in layers)
    moments = tuple(f"{moment}_{layer}" for layer in layers for moment in ("loc", "scale"))
    return {
        "encoder": Part(Encoder(model), (x,), ("image",), moments),
        "decoder": Part(Decoder(model), z, latents, ("mean",)),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Without what torch says of its own code, and of libraries that are not there."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _onnx(part: Part) -> Program:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  # what torch writes ONNX with
    except ImportError as error:
        raise missing("export to ONNX", str(error.name), "onnx") from error
    with quiet():
        program = torch.onnx.export(
            _graph(part),
            dynamo=True,
            input_names=part.takes,
            output_names=part.gives,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    content = program.model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(inputs: Sequence[Tensor]) -> list[Tensor]:
        named = zip(part.takes, inputs, strict=True)
        found = session.run(part.gives, {name: tensor.numpy() for name, tensor in named})
        return [torch.from_numpy(array) for array in found]

    return Program(content, run)


def _torch(part: Part) -> Program:
    file = io.BytesIO()
    torch.export.save(_graph(part), file)
    file.seek(0)
    module = torch.export.load(file).module()

    def run(inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        return _outputs(module, inputs)

    return Program(file.getvalue(), run)


PROGRAMS: dict[str, tuple[str, Callable[[Part], Program]]] = {"onnx": (".onnx", _onnx), "torch": (".pt2", _torch)}
"""The end of a file's name and what makes the file, by kind."""


def _graph(part: Part) -> torch.export.ExportedProgram:
    """The part's graph, for a batch of any size."""
    batch = torch.export.Dim("batch", min=1, max=MOST)
    dynamic = tuple({0: batch} for _ in part.example)
    shapes: dict[str, Any] = {"x": dynamic[0]}
    if isinstance(part.module, Decoder):
        shapes = {"z": dynamic}
    return torch.export.export(part.module, part.example, dynamic_shapes=shapes, strict=False)


def _check(path: Path, part: Part, program: Program) -> None:
    """Compare a file with the model, on another batch than the one that was traced."""
    inputs = [tensor[1:].flip(0) for tensor in part.example]
    wanted = _outputs(part.module, inputs)
    for ours, theirs in zip(wanted, program.run(inputs), strict=True):
        worst = (ours - theirs).abs().max().item()
        if not worst <= AGREES:
            raise RunError(f"{path}: would differ from the model by {worst:.1e}, more than {AGREES:g}; not written")


def _outputs(module: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    found = module(*inputs)
    if isinstance(found, Tensor):
        return (found,)
    return tuple(found)
