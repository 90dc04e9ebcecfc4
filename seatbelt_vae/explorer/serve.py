"""The page's server: on the loopback unless told otherwise, one attack at a time, a bounded queue."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import RunError, missing
from seatbelt_vae.explorer.runs import LARGEST_FILE, open_runs

WAITING = 16
"""Requests that may wait; one more is refused in a sentence."""


def serve(runs: Sequence[str | Path], *, host: str = "127.0.0.1", port: int = 7860, wait: bool = True) -> Any:
    """Serve the page of some runs.

    Args:
        runs: folders of finished runs.
        host: address; the default is heard on this machine alone.
        port: of the server.
        wait: until Ctrl-C; False returns the page with ``close()``.

    Returns:
        The page.

    Raises:
        InputError: no run, a run that is not finished, or gradio is missing.
        RunError: the port is taken.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio
    except ImportError as error:
        raise missing("explore", "gradio", "explorer") from error
    from seatbelt_vae.explorer.page import STYLE, build

    page = build(open_runs(runs))
    page.queue(max_size=WAITING, default_concurrency_limit=2)
    try:
        page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=LARGEST_FILE,
            footer_links=[],
            theme=gradio.themes.Base(font="sans-serif", font_mono="monospace"),
            css=STYLE,
            ssr_mode=False,
        )
    except OSError as error:
        raise RunError(f"port {port}: cannot be served on {host} ({error}); choose another with --port") from error
    if wait:
        page.block_thread()
    return page
