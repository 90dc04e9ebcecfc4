"""Models on disk: a JSON recipe and safetensors, nothing pickled."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import zoo
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save(model: HierarchicalVAE, folder: str | Path) -> Path:
    """Write a model's recipe and weights into a folder.

    Raises:
        InputError: the model was not built by a factory of this library, so no recipe describes it.
        RunError: the folder cannot be written.
    """
    if model.recipe is None:
        raise InputError("this model has no recipe: build it with a factory of seatbelt_vae.models to save it")
    folder = Path(folder)
    write_tensors(folder / WEIGHTS, model.state_dict())
    version = importlib.metadata.version("seatbelt-vae")
    write_json(folder / CONFIG, {"library": "seatbelt-vae", "version": version, **model.recipe})
    return folder


def load(folder_or_hub_id: str | Path, **networks: Any) -> HierarchicalVAE:
    """Rebuild a model from a folder, or from the hub where no such folder exists; in evaluation mode.

    Raises:
        InputError: the config or weights are missing, corrupt, or of something else.
    """
    folder = Path(folder_or_hub_id)
    if not folder.is_dir():
        folder = fetch(str(folder_or_hub_id))
    name, arguments = recipe(folder / CONFIG)
    arguments |= networks
    if arguments.get("network") == "custom":
        raise InputError(f"{folder}: was built with networks of your own; pass network=(encoder, decoder) to load it")
    try:
        model = zoo.build(name, **arguments)
    except InputError as error:
        raise InputError(f"{folder / CONFIG}: {error}") from error
    weights = read_tensors(folder / WEIGHTS)
    try:
        load_weights(model, weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder / WEIGHTS}: does not fit its config.json ({reason})") from error
    return model.eval()


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights into a model, whose own take over their dtypes; what shares its memory goes on sharing it.

    Raises:
        RuntimeError: the weights do not fit.

    Example:
        >>> import torch
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> load_weights(layer, {"weight": torch.ones(1, 1).double()})
        >>> layer.weight.dtype
        torch.float64
    """
    for name, own in model.state_dict(keep_vars=True).items():
        if name in weights:
            own.data = own.data.to(weights[name].dtype)
    model.load_state_dict(weights)


def recipe(path: Path) -> tuple[str, dict[str, Any]]:
    """A model's name and arguments out of its config.json.

    Raises:
        InputError: it is missing, corrupt, or of something else.

    Example:
        >>> import tempfile
        >>> arguments = {"image_shape": [1, 28, 28]}
        >>> config = {"library": "seatbelt-vae", "model": "vae", "arguments": arguments}
        >>> recipe(write_json(Path(tempfile.mkdtemp()) / "config.json", config))
        ('vae', {'image_shape': [1, 28, 28]})
    """
    config = read_json(path)
    if not isinstance(config, dict) or config.get("library") != "seatbelt-vae" or "model" not in config:
        raise InputError(f"{path}: does not describe a seatbelt-vae model")
    arguments = config.get("arguments")
    if not isinstance(arguments, dict) or "image_shape" not in arguments or "name" in arguments:
        raise InputError(f"{path}: arguments must be a table with image_shape and the factory's other arguments")
    return config["model"], arguments


def fetch(hub_id: str) -> Path:
    """Download a model's two files from the Hugging Face hub.

    Raises:
        InputError: it is neither a folder nor a reachable repository.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=[CONFIG, WEIGHTS]))
    except Exception as error:  # the hub client's errors have no common base
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{hub_id}: no such folder, and the hub does not have it ({reason})") from error
