"""Where a run was trained: versions, platform, device, threads. Kept beside the spec and no part of its hash."""

import platform
from importlib.metadata import PackageNotFoundError, version

import torch


def environment(device: torch.device) -> dict[str, str | int]:
    """Describe this process.

    Args:
        device: where it computes.

    Returns:
        ``python``, ``torch``, ``numpy``, ``seatbelt_vae``, ``platform``, ``device`` and ``threads``.

    Example:
        >>> environment(torch.device("cpu"))["device"]
        'cpu'
    """
    return {
        "seatbelt_vae": _version("seatbelt-vae"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a source tree that was never installed
        return "unknown"
