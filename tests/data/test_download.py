"""A server of this machine that breaks off, refuses, and sends something else."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seatbelt_vae.data.download import download
from seatbelt_vae.errors import RunError

CONTENT = bytes(range(256)) * 4000


class Server(ThreadingHTTPServer):
    break_after: int | None = None
    status = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.url = f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.server.status:
            self.send_error(self.server.status)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: self.server.break_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def test_a_download_that_breaks_off_leaves_nothing_and_may_be_tried_again(server: Server, tmp_path: Path) -> None:
    server.break_after = 400_000
    with pytest.raises(RunError, match=r"stopped \(.*400000 bytes read.*; the same command tries again") as caught:
        download(server.url, CHECKSUM, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    server.break_after = None
    path = download(server.url, CHECKSUM, tmp_path)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]
    assert download(server.url, CHECKSUM, tmp_path) == path
    assert server.asked == 2  # what is there is not fetched again


def test_the_bar_is_on_stderr(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    download(server.url, CHECKSUM, tmp_path, progress=True)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "100%" in printed.err


def test_another_file_is_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="what came is another file, its checksum is not md5:0000"):
        download(server.url, f"md5:{'0' * 32}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(RunError, match="the server says 404 Not Found"):
        download(server.url, CHECKSUM, tmp_path)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"stopped \(.*refused.*\)"):
        download("http://127.0.0.1:9/data.bin", CHECKSUM, tmp_path)
