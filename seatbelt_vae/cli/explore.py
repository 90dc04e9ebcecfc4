"""``seatbelt explore``: the live page of trained models."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json


def command(runs: list[Path], /, *, host: str = "127.0.0.1", port: int = 7860, json: Json = False) -> None:
    """Attack models in the browser: pick a pair, press a button, move the sliders. Ctrl-C ends it.

    Args:
        runs: Run folders.
        host: Address to serve on. The default is heard on this machine alone.
        port: Port to serve on.
    """
    from seatbelt_vae.explorer import serve

    page = serve(runs, host=host, port=port, wait=False)
    address = f"http://{host}:{port}"
    show({"address": address, "runs": [str(run) for run in runs]}, json, [f"explorer: {address} (Ctrl-C ends it)"])
    page.block_thread()
