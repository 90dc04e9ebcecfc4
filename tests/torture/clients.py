"""Many clients of the live page at once: each gets an answer or a refusal, and the server stays up."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.torture.command import seatbelt
from tests.torture.material import TRAIN, images_npz
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.runner import without_limit

CLIENTS = 50
PATIENCE = 120.0
ATTACK = ["latent", "kl", "decoder", "penalty", "1, 10", 3]
"""Objective, divergence, layers, budget, values and iterations, as the page has them."""


@dataclass(frozen=True)
class Server:
    """A server of one tiny run, and the run's name on its page."""

    address: str
    model: str

    def ask(self, number: int) -> str:
        """Attack a pair as one client: ``answered`` or ``refused``; anything else is what went wrong."""
        asked = {"data": [self.model, "none", number % 5, None, 5, None, *ATTACK]}
        place = f"{self.address}/gradio_api/call/attack"
        with httpx.Client(timeout=PATIENCE) as client:
            first = client.post(place, json=asked)
            if first.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return "refused"
            if first.status_code != httpx.codes.OK:
                return f"{first.status_code} {first.text[:100]}"
            told = client.get(f"{place}/{first.json()['event_id']}").text
        if "event: complete" in told and "Done." in told:
            return "answered"
        return f"told {told[-200:]}"


def prepare(root: Path) -> Path:
    """A run to be explored."""
    images = images_npz(root / "images.npz")
    done = seatbelt(*f"train {TRAIN} --steps 2 --data {images} --out {root / 'run'}".split(), to=root)
    assert done.code == 0, done.err
    return root / "run"


def case(run: Path, number: int, drawn: Random, here: Path) -> Outcome:
    """Serve the run, let all clients ask at once, and ask once more."""
    without_limit()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "seatbelt_vae.cli", "explore", str(run), "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            return _asked(Server(f"http://127.0.0.1:{port}", ""), drawn)
        finally:
            process.kill()


def _asked(server: Server, drawn: Random) -> Outcome:
    server = Server(server.address, _model(server.address))
    numbers = [drawn.randrange(100) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        found = list(clients.map(server.ask, numbers))
    notes = {way: found.count(way) for way in ("answered", "refused")}
    wrong = [words for words in found if words not in notes]
    again = server.ask(0)
    if wrong or again != "answered" or not notes["answered"]:
        return hole("; ".join([*wrong[:3], f"afterwards: {again}"]), CLIENTS)
    return Outcome(CLIENTS, CLIENTS, notes=notes)


def _model(address: str) -> str:
    """Wait for the server; the name of its first model."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            config: Any = json.loads(httpx.get(f"{address}/config", timeout=5).text)
        except (httpx.HTTPError, ValueError):
            time.sleep(0.2)
            continue
        return str(next(each["props"]["value"] for each in config["components"] if each["type"] == "dropdown"))
    raise TimeoutError(f"{address}: no server")


KIND = Kind("clients", ("clients", "answered or refused"), 3, prepare, case, seconds=300)
