"""A server of this machine that breaks off, goes on, refuses, and sends something else."""

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
    knows_ranges = True
    status = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.status:
            self.send_error(self.server.status)
            return
        start = int(asked.split("=")[1].rstrip("-")) if asked and self.server.knows_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = len(CONTENT) if self.server.break_after is None else start + self.server.break_after
        self.wfile.write(CONTENT[start:end])

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


def test_a_download_that_breaks_off_goes_on(server: Server, tmp_path: Path) -> None:
    server.break_after = 400_000
    for got in (400_000, 800_000):
        with pytest.raises(RunError, match=rf"stopped after {got} bytes .*the same command goes on from there"):
            download(server.url, CHECKSUM, tmp_path)
        assert (tmp_path / "data.bin.part").stat().st_size == got
        assert not (tmp_path / "data.bin").exists()
    server.break_after = None
    path = download(server.url, CHECKSUM, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-", "bytes=800000-"]
    assert list(tmp_path.iterdir()) == [path]
    assert download(server.url, CHECKSUM, tmp_path) == path
    assert len(server.asked) == 3  # what is there is not fetched again


def test_a_server_that_knows_no_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"old")
    server.knows_ranges = False
    assert download(server.url, CHECKSUM, tmp_path).read_bytes() == CONTENT


def test_all_of_it_was_there_already(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    assert download(server.url, CHECKSUM, tmp_path).read_bytes() == CONTENT


def test_another_file_is_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="what came is another file, its checksum is not md5:0000"):
        download(server.url, f"md5:{'0' * 32}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(RunError, match="the server says 404 Not Found"):
        download(server.url, CHECKSUM, tmp_path)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"stopped after 0 bytes \(.*refused.*\)"):
        download("http://127.0.0.1:9/data.bin", CHECKSUM, tmp_path)
