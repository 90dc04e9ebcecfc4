"""Which device to work on."""

import os

import torch

from seatbelt_vae.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Turn a device's name into a device that is there.

    Args:
        name: "auto" (CUDA, else MPS, else the CPU), "cpu", "cuda", "cuda:1", "mps", or a device. Each process that
            ``torchrun`` starts has a GPU of its own.

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
        name = next(kind for kind in present if present[kind])
    if name == "cuda":
        name = own_gpu()
    kind, _, index = name.partition(":")
    if kind not in present or not (index.isdecimal() or not index):
        raise InputError(f"device: {name!r} is unknown, use one of {', '.join(DEVICES)}")
    too_high = kind == "cuda" and bool(index) and int(index) >= torch.cuda.device_count()
    if not present[kind] or too_high:
        raise InputError(f"device: this machine has no {name}, use auto or cpu")
    return torch.device(name)


def own_gpu() -> str:
    """The GPU of this process among those that ``torchrun`` started on this machine.

    Raises:
        InputError: there are fewer GPUs than processes.

    Example:
        >>> own_gpu()
        'cuda'
    """
    number = os.environ.get("LOCAL_RANK")
    if number is None:
        return "cuda"
    processes, there = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if processes > there:  # said by all of them, also by those that have one
        raise InputError(f"device: {processes} processes need a GPU each, this machine has {there}; start fewer")
    return f"cuda:{number}"
