"""In which precision the networks run."""

import torch

PRECISIONS = ("float32", "bfloat16", "auto")
INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def fastest(device: torch.device) -> str:
    """``bfloat16`` where the device multiplies such numbers faster than ``float32``.

    It asks what the device can do and times nothing, so that the answer is the same every time.

    Example:
        >>> fastest(torch.device("mps"))
        'float32'
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    if device.type == "cpu" and can(*INSTRUCTIONS):
        return "bfloat16"
    return "float32"


def can(*instructions: str) -> bool:
    """Whether the CPU has one of some instructions; before torch 2.10 it is not known."""
    ask = getattr(torch.cpu, "get_capabilities", dict)
    known: dict[str, bool] = ask()
    return any(known.get(name, False) for name in instructions)
