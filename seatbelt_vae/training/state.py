"""Weights and optimisers as named tensors, and back."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seatbelt_vae.errors import InputError
from seatbelt_vae.training.checkpoint import FILE


def training_state(modules: Mapping[str, nn.Module], optimisers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    """Gather what training changes, by name: references, not copies.

    Returns:
        ``<module>/<tensor>`` and ``<module>.optimiser/<parameter index>/<quantity>``.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> sorted(training_state({"model": layer}, {"model": torch.optim.Adam(layer.parameters())}))
        ['model/bias', 'model/weight']
    """
    state: dict[str, Tensor] = {}
    for key, module in modules.items():
        for name, value in module.state_dict().items():
            state[f"{key}/{name}"] = value
    for key, optimiser in optimisers.items():
        for index, entry in optimiser.state_dict()["state"].items():
            for name, value in entry.items():
                state[f"{key}.optimiser/{index}/{name}"] = value
    return state


def restore_training(
    state: Mapping[str, Tensor], modules: Mapping[str, nn.Module], optimisers: Mapping[str, Optimizer]
) -> None:
    """Put a state that `training_state` gave into modules of the same shapes and their optimisers.

    Raises:
        InputError: the weights are those of another model, or the optimiser's are not those of these weights.
    """
    for key, module in modules.items():
        restore_weights(key, module, under(f"{key}/", state))
    for key, optimiser in optimisers.items():
        restore_optimiser(key, optimiser, under(f"{key}.optimiser/", state))


def restore_weights(key: str, module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load the weights of one module.

    Raises:
        InputError: they are those of another.
    """
    for name, own in module.state_dict().items():
        if name in weights and weights[name].dtype != own.dtype:
            raise another(key, f"{name} is {weights[name].dtype}, not {own.dtype}")
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise another(key, str(error)) from error


def restore_optimiser(key: str, optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Load Adam's moments: for each parameter that was ever moved, two of its own shape and a count of steps.

    Raises:
        InputError: some are missing, or of another shape or type.
    """
    whole = optimiser.state_dict()
    parameters: list[Tensor] = []
    for group in optimiser.param_groups:
        parameters += group["params"]
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, quantity = name.partition("/")
        if not index.isdecimal() or int(index) >= len(parameters):
            raise another(f"{key}.optimiser", f"{name} belongs to no parameter")
        entries.setdefault(int(index), {})[quantity] = value
    for number, entry in entries.items():
        check_moments(key, number, parameters[number], entry)
        for name in ("exp_avg", "exp_avg_sq"):  # fused Adam wants them in the parameter's order of memory
            entry[name] = torch.empty_like(parameters[number], dtype=entry[name].dtype).copy_(entry[name])
    optimiser.load_state_dict({**whole, "state": entries})


def check_moments(key: str, index: int, parameter: Tensor, entry: Mapping[str, Tensor]) -> None:
    """Refuse moments that cannot be those of a parameter.

    Raises:
        InputError: one is missing, or of another shape or type.
    """
    expected = {"step": torch.Size([]), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
    if set(entry) != set(expected):
        raise another(f"{key}.optimiser", f"parameter {index} has {', '.join(sorted(entry))}")
    for name, shape in expected.items():
        found = entry[name]
        if found.shape != shape or not found.is_floating_point():
            raise another(f"{key}.optimiser", f"{name} of parameter {index} is {found.dtype} {tuple(found.shape)}")


def another(key: str, reason: str) -> InputError:
    """The error for a state of something else."""
    return InputError(f"{FILE}: holds the weights of another {key} ({' '.join(reason.split())[:200]})")


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose name begins so, without that beginning.

    Example:
        >>> list(under("a/", {"a/b": torch.ones(1), "c": torch.ones(1)}))
        ['b']
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            found[name.removeprefix(prefix)] = tensor
    return found
