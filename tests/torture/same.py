"""Whether two runs, or two stores, hold the same: to the bit, but for the time that it took."""

import json
from pathlib import Path
from typing import Any

TIMES = ("seconds", "digest", "sha256", "hashes")
"""What differs from run to run: lengths of time, and what is computed of them."""

IGNORED = (".lock", ".lock.owner", "manifest.jsonl")
"""Who was at work; and the SHA-256 of every file, also of those with times in them, which reading checks."""


def differences(one: Path, other: Path) -> list[str]:
    """Name the files that differ, and those that only one of the folders has."""
    first, second = contents(one), contents(other)
    found = [f"{name}: only one has it" for name in sorted(set(first) ^ set(second))]
    for name in sorted(set(first) & set(second)):
        if first[name] != second[name]:
            found.append(f"{name}: {unlike(first[name], second[name])}")
    return found


def contents(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in IGNORED:
            found[str(path.relative_to(folder))] = content(path)
    return found


def content(path: Path) -> Any:
    """What a file holds, without the times."""
    raw = path.read_bytes()
    if path.suffix == ".safetensors":
        return tensors(raw)
    if path.suffix == ".json":
        return timeless(json.loads(raw))
    if path.suffix == ".jsonl":
        return [timeless(json.loads(line)) for line in raw.splitlines()]
    return raw


def tensors(raw: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Names, types, shapes and bytes."""
    import safetensors.torch
    import torch

    found = {}
    for name, tensor in safetensors.torch.load(raw).items():
        if name not in TIMES:
            held = tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()
            found[name] = str(tensor.dtype), tuple(tensor.shape), held
    return found


def timeless(value: Any) -> Any:
    """A value without the times in it."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [timeless(each) for each in value]
    return value


def unlike(one: Any, other: Any) -> str:
    """Where two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in sorted(set(one) | set(other)) if one.get(key) != other.get(key)]
        return f"differs in {', '.join(map(str, keys))}"[:300]
    return f"{str(one)[:200]} and {str(other)[:200]}"
