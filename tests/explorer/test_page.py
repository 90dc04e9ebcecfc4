"""The page in a real browser, with a server of its own: attacks, cancels, uploads, and many clients at once."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from seatbelt_vae.explorer.work import Cancelled
from seatbelt_vae.progress import progress_bar

gradio = pytest.importorskip("gradio")
sync = pytest.importorskip("playwright.sync_api")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium")

SECONDS = 60_000


@pytest.fixture(scope="module")
def address(runs: list[Path]) -> Iterator[str]:
    """A server of the two runs."""
    from seatbelt_vae.explorer import serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = serve(runs, port=port, wait=False)
    yield f"http://127.0.0.1:{port}"
    page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, opened; nothing may be asked of another machine."""
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(SECONDS)
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    opened.wait_for_selector("#attack")
    yield opened
    opened.close()
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not elsewhere


def pictures(page: Any) -> str:
    return str(page.inner_html("#pictures"))


def attack(page: Any) -> None:
    page.click("#attack")
    page.wait_for_selector("#pictures svg")
    page.get_by_text("Done.").wait_for()


def test_an_attack_shows_six_pictures_and_the_slider_moves_them(page: Any) -> None:
    attack(page)
    assert pictures(page).count("<image") == 6
    before = pictures(page)
    slider = page.locator("#place input[type=range]")
    for key in ("Home", "End"):
        slider.press(key)
        page.wait_for_timeout(1500)
        if pictures(page) != before:
            return
    pytest.fail("the slider moves nothing")


def test_two_models_stand_side_by_side(page: Any) -> None:
    page.get_by_label("Beside it").click()
    page.get_by_role("option", name="seatbelt").click()
    attack(page)
    assert pictures(page).count("<image") == 12


def test_an_attack_shows_how_far_it_is_and_is_cancelled(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(*_: Any) -> None:
        try:
            with progress_bar("Digging", 1000) as advance:
                while True:
                    advance()
                    time.sleep(0.05)
        except Cancelled:
            ended.set()
            raise

    with monkeypatch.context() as patch:
        patch.setattr("seatbelt_vae.explorer.page.answer", endless)
        page.click("#attack")
        page.get_by_text("of 1000").wait_for()
        page.click("#cancel")
        page.get_by_text("Cancelled.").wait_for()
        assert ended.wait(10)
    attack(page)


def test_an_upload_is_shown_and_a_text_is_refused_in_one_line(page: Any, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    picture = tmp_path / "white.png"
    Image.fromarray(np.full((40, 40), 255, dtype=np.uint8)).save(picture)
    before = page.locator("img").first.get_attribute("src")
    page.set_input_files("#upload-source input, input[type=file] >> nth=0", picture)
    page.wait_for_function(f"document.querySelector('img').getAttribute('src') !== {before!r}")
    text = tmp_path / "text.png"
    text.write_text("hello")
    page.set_input_files("#upload-source input, input[type=file] >> nth=0", text)
    page.get_by_text("text.png: is not a picture that can be read").first.wait_for()


def test_fifty_clients_get_answers_or_refusals(page: Any, address: str) -> None:
    def ask(_: int) -> int:
        return httpx.post(f"{address}/gradio_api/call/look_source", json={"data": [0, None]}, timeout=60).status_code

    with ThreadPoolExecutor(50) as clients:
        codes = list(clients.map(ask, range(50)))
    assert set(codes) <= {200, 503}
    assert 200 in codes
    attack(page)


@pytest.mark.parametrize("path", ["/etc/passwd", "spec.json", "../pyproject.toml"])
def test_files_are_not_served(address: str, runs: list[Path], path: str) -> None:
    for asked in (path, str(runs[0] / path)):
        assert httpx.get(f"{address}/gradio_api/file={asked}").status_code in (403, 404)
