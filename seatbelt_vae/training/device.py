"""Which device to work on."""

import torch

from seatbelt_vae.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Turn a device's name into a device that is there.

    Args:
        name: "auto" (CUDA, else MPS, else the CPU), "cpu", "cuda", "cuda:1", "mps", or a device.

    Raises:
        InputError: no such name, or the machine has no such device.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    name = str(name)
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind in present if present[kind]))
    kind, _, index = name.partition(":")
    if kind not in present or not (index.isdecimal() or not index):
        raise InputError(f"device: {name!r} is unknown, use one of {', '.join(DEVICES)}")
    too_high = kind == "cuda" and bool(index) and int(index) >= torch.cuda.device_count()
    if not present[kind] or too_high:
        raise InputError(f"device: this machine has no {name}, use auto or cpu")
    return torch.device(name)
