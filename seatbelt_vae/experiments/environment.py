"""Where something was computed: versions, commit, platform, device, threads. No part of any hash."""

import functools
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch


def environment(device: torch.device) -> dict[str, str | int | None]:
    """Describe this process.

    Args:
        device: where it computes.

    Returns:
        ``python``, ``torch``, ``numpy``, ``seatbelt_vae``, its ``commit``, ``platform``, ``device`` and ``threads``.

    Example:
        >>> environment(torch.device("cpu"))["device"]
        'cpu'
    """
    return {
        "seatbelt_vae": _version("seatbelt-vae"),
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
    }


@functools.cache
def commit() -> str | None:
    """The commit of this package where it runs from a checkout, with ``-dirty`` where files differ; else None."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a source tree that was never installed
        return "unknown"
