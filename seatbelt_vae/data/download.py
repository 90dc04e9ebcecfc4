"""Downloads that go on where they were cut off, and are only believed with the right checksum."""

import shutil
import urllib.error
import urllib.request
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import RunError
from seatbelt_vae.progress import progress_bar

_CHUNK = 2**18


def download(url: str, checksum: str, folder: Path, *, progress: bool = False) -> Path:
    """Fetch a file, unless it is there.

    Args:
        url: where it is; its last part names the file.
        checksum: ``md5:…`` or ``sha256:…``.
        folder: where it goes. What has come of it by now lies there as ``NAME.part``.
        progress: show a bar on stderr.

    Returns:
        Its path.

    Raises:
        RunError: the server does not answer or stops, or what came is another file.
    """
    import pooch

    name = url.rsplit("/", 1)[-1]
    part = folder / f"{name}.part"

    def fetch(address: str, output: str, _: Any, check_only: bool = False) -> None:
        _fetch(address, part, progress)
        shutil.move(part, output)

    pooch.get_logger().setLevel("ERROR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(pooch.retrieve(url, known_hash=checksum, fname=name, path=folder, downloader=fetch))
    except ValueError as error:  # pooch's word for a wrong checksum
        raise RunError(f"{url}: what came is another file, its checksum is not {checksum}") from error
    except OSError as error:
        raise RunError(f"{folder}: could not be written ({error.strerror or error})") from error


def _fetch(url: str, part: Path, progress: bool) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            again = answer.status == 206  # else the server starts over
            total = int(answer.headers.get("Content-Length") or 0) + (done if again else 0)
            _receive(answer, part, done if again else 0, total, progress)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not done:  # 416: nothing is left to send
            raise RunError(f"{url}: the server says {error.code} {error.reason}") from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        got = part.stat().st_size if part.exists() else 0
        reason = getattr(error, "reason", None) or error
        raise RunError(f"{url}: stopped after {got} bytes ({reason}); the same command goes on from there") from error


def _receive(answer: Any, part: Path, done: int, total: int, progress: bool) -> None:
    with (
        part.open("ab" if done else "wb") as file,
        progress_bar("Downloading", total, progress and total > 0) as advance,
    ):
        advance(done)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            advance(len(chunk))
    if total and done < total:
        raise IncompleteRead(b"", total - done)
