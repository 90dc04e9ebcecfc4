"""Damage to the bytes of a file: blind, or with an eye for JSON and for safetensors."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

Damage = Callable[[bytes, Random], bytes]

DEEP = 10_000
"""How deep JSON is nested."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 1e308, -1e-300, 0.5, 2**31, 2**63, 2**64, 10**400, float("nan"), float("inf")),
    *("", "x", "x" * 5000, "../../elsewhere", "/etc/passwd", "\x00", "\udcff", "<script>alert(1)</script>", "1"),
    *([], {}, [[]], [0] * 1000, {"a": {"b": 1}}, [None], "\N{DESERET CAPITAL LETTER LONG I}"),
)


def damaged(content: bytes, name: str, random: Random) -> bytes:
    """Damage a file, in a way that its name allows; the bytes are never the same as before."""
    ways = list(BLIND)
    if name.endswith((".json", ".jsonl")):
        ways += JSON * 3
    if name.endswith(".safetensors"):
        ways += SAFETENSORS * 3
    for _ in range(10):
        try:
            made = random.choice(ways)(content, random)
        except Exception:  # too small, or not of that form
            continue
        if made != content:
            return made
    return content + b"\0"


def flip(content: bytes, random: Random) -> bytes:
    """Turn one to eight bits round."""
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def flip_head(content: bytes, random: Random) -> bytes:
    """Turn bits round where headers lie."""
    head = min(len(content), 256)
    return flip(content[:head], random) + content[head:]


def fill(content: bytes, random: Random) -> bytes:
    """Write over a stretch with one byte, or with any."""
    start, end = stretch(content, random)
    patch = random.choice((bytes(end - start), b"\xff" * (end - start), random.randbytes(end - start)))
    return content[:start] + patch + content[end:]


def cut(content: bytes, random: Random) -> bytes:
    """End the file early."""
    return content[: random.randrange(len(content))]


def leave_out(content: bytes, random: Random) -> bytes:
    """Leave out a stretch."""
    start, end = stretch(content, random)
    return content[:start] + content[end:]


def repeat(content: bytes, random: Random) -> bytes:
    """Give a stretch twice."""
    start, end = stretch(content, random)
    return content[:end] + content[start:]


def extend(content: bytes, random: Random) -> bytes:
    """Let something follow."""
    return content + random.choice((b"\0" * 512, random.randbytes(99), content))


def swap(content: bytes, random: Random) -> bytes:
    """Let two stretches change places."""
    length = random.randint(1, max(1, min(64, len(content) // 4)))
    first = random.randrange(len(content) // 2 - length)
    second = random.randrange(first + length, len(content) - length)
    a, b = content[first : first + length], content[second : second + length]
    return content[:first] + b + content[first + length : second] + a + content[second + length :]


def empty(content: bytes, random: Random) -> bytes:
    """Nothing."""
    return b""


def stretch(content: bytes, random: Random) -> tuple[int, int]:
    """Where to write over."""
    start = random.randrange(len(content))
    length = random.choice((1, 4, 16, 100, 4096))
    return start, min(len(content), start + length)


def change_value(content: bytes, random: Random) -> bytes:
    """Put another value somewhere into a JSON document."""
    return changed(content, random, lambda holder, key: holder.__setitem__(key, random.choice(VALUES)))


def change_number(content: bytes, random: Random) -> bytes:
    """Turn a number of a JSON document into another that could be there as well."""
    document = json.loads(first_line(content))
    numbers = [place for place in places(document) if type(place[0][place[1]]) in (int, float)]
    holder, key = random.choice(numbers)
    holder[key] = holder[key] * 2 + 1
    return with_first_line(content, json.dumps(document).encode())


def drop_key(content: bytes, random: Random) -> bytes:
    """Leave out an entry of a JSON document."""
    return changed(content, random, lambda holder, key: holder.__delitem__(key))


def add_key(content: bytes, random: Random) -> bytes:
    """Add an entry that nobody knows to a table of a JSON document."""

    def add(holder: Any, key: Any) -> None:
        if isinstance(holder, dict):
            holder[random.choice(("unknown", "name", "seconds", "step", ""))] = random.choice(VALUES)

    return changed(content, random, add)


def nest(content: bytes, random: Random) -> bytes:
    """JSON that is nested far too deep, alone or as a value."""
    deep = b"[" * DEEP + b"]" * DEEP
    if random.random() < 0.3:
        return random.choice((deep, b"[" * DEEP, b'{"a":' * DEEP))
    marked = changed(content, random, lambda holder, key: holder.__setitem__(key, "DEEP"))
    return marked.replace(b'"DEEP"', deep)


def changed(content: bytes, random: Random, change: Callable[[Any, Any], None]) -> bytes:
    """Change a JSON document, or the first line of several."""
    document = json.loads(first_line(content))
    change(*random.choice(places(document)))
    return with_first_line(content, json.dumps(document).encode())


def first_line(content: bytes) -> bytes:
    """The document of a file, or the first of many."""
    try:
        json.loads(content)
    except ValueError:
        return content.partition(b"\n")[0]
    return content


def with_first_line(content: bytes, line: bytes) -> bytes:
    """The file with another first document."""
    if first_line(content) == content:
        return line
    return line + b"\n" + content.partition(b"\n")[2]


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a document, as what holds it and by which key."""
    found: list[tuple[Any, Any]] = []
    keys = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(keys):
        found.append((document, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def change_tensor(content: bytes, random: Random) -> bytes:
    """Leave out, exchange, retype, reshape, fill or add a tensor."""
    import safetensors.torch
    import torch

    tensors = safetensors.torch.load(content)
    names = sorted(tensors)
    name, other = random.choice(names), random.choice(names)
    tensor = tensors[name]
    way = random.randrange(7)
    if way == 0:
        del tensors[name]
    elif way == 1:
        tensors[name], tensors[other] = tensors[other].clone(), tensor.clone()
    elif way == 2:
        kinds = (torch.float16, torch.float64, torch.bool, torch.int64, torch.uint8, torch.bfloat16, torch.uint64)
        tensors[name] = tensor.to(random.choice(kinds))
    elif way == 3:
        tensors[name] = random.choice((tensor.flatten(), tensor[None], tensor.flatten()[:1], tensor.new_zeros(0, 3)))
    elif way == 4:
        tensors[name] = torch.full_like(tensor, random.choice((0, 1, 200)))
    elif way == 5 and tensor.is_floating_point():
        tensors[name] = torch.full_like(tensor, random.choice((float("nan"), float("inf"), 1e30)))
    else:
        tensors[f"{name}x"] = tensor.clone()
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})


def change_header(content: bytes, random: Random) -> bytes:
    """Change the header of a safetensors file, or what it says of its length."""
    length = int.from_bytes(content[:8], "little")
    if random.random() < 0.3:
        lie = random.choice((0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1))
        return lie.to_bytes(8, "little") + content[8:]
    way = random.choice(JSON)
    header = way(content[8 : 8 + length], random)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


BLIND: list[Damage] = [flip, flip, flip, flip_head, fill, fill, cut, leave_out, repeat, extend, swap, empty]
JSON: list[Damage] = [change_value, change_number, drop_key, add_key, nest]
SAFETENSORS: list[Damage] = [change_tensor, change_tensor, change_header]
