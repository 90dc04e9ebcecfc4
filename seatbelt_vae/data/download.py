"""Downloads, believed only with the right checksum."""

from pathlib import Path

from seatbelt_vae.data.reading import one_line
from seatbelt_vae.data.workplace import working_folder
from seatbelt_vae.errors import RunError

_CHUNK = 2**18
_SECONDS = 60


def download(url: str, known_hash: str, folder: Path, *, progress: bool = False) -> Path:
    """Fetch a file, unless it is there."""
    import pooch
    from requests.exceptions import HTTPError, RequestException

    name = url.rsplit("/", 1)[-1]
    path = folder / name
    if path.exists():
        return path
    pooch.get_logger().setLevel("ERROR")
    fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=_CHUNK, timeout=_SECONDS)
    with working_folder(folder, name) as part:
        try:
            pooch.retrieve(url, known_hash, fname=name, path=part, downloader=fetch)
        except HTTPError as error:
            answer = error.response
            assert answer is not None
            raise RunError(f"{url}: the server says {answer.status_code} {answer.reason}") from error
        except RequestException as error:
            raise RunError(f"{url}: stopped ({one_line(error)}); the same command tries again") from error
        except ValueError as error:  # pooch's word for a wrong checksum
            raise RunError(f"{url}: what came is another file, its checksum is not {known_hash}") from error
        return (part / name).replace(path)
