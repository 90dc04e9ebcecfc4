"""Memory that is kept within a block, and given back after it."""

import ctypes
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
import torch
from seatbelt_vae.allocator import kept_memory

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

before = held()
with kept_memory():
    filled = torch.ones(2**24)  # 64 MiB
    del filled
    within = held()
print(within - before, held() - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"),
    reason="glibc alone can be told",
)
def test_memory_is_kept_within_the_block_and_given_back_after_it() -> None:
    """In a process of its own: one that has worked before has free memory of its own."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    within, after = map(float, done.stdout.split())
    assert within > 60
    assert after < 10
