import ctypes
import sys
from pathlib import Path

import pytest
import torch

from seatbelt_vae.allocator import kept_memory

MIB = 2**20


def held() -> float:
    """MiB of this process in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096 / MIB


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"),
    reason="glibc alone can be told",
)
def test_memory_is_kept_within_the_block_and_given_back_after_it() -> None:
    before = held()
    with kept_memory():
        filled = torch.ones(64 * MIB // 4)
        del filled
        within = held()
    assert within > before + 60
    assert held() < before + 10
    filled = torch.ones(64 * MIB // 4)
    del filled
    assert held() < before + 10
