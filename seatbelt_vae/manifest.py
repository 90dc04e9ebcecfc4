"""``manifest.jsonl``: the SHA-256 of every file of a run, noted before the file is put in its place and after.

A process may be killed between the two notes. So a file may be what was last written, or what was about to be written:
both are whole. Anything else is damage, or belongs to another run. A line is appended by one call, so two processes
that write different files of a run do not disturb each other.

A folder without the file, such as one of an earlier version, is read unchecked.
"""

import errno
import hashlib
import json
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError

FILE = "manifest.jsonl"
KINDS = (".json", ".jsonl", ".safetensors")
"""How the files of a run end."""


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Args:
        sha256: of its bytes, hexadecimal; None for no file.
        size: bytes of it that are meant. What follows them in a file that grows is unknown.
    """

    sha256: str | None = None
    size: int = 0

    @classmethod
    def of(cls, content: bytes) -> "Content":
        """The content of a file that holds these bytes.

        Example:
            >>> Content.of(b"abc").sha256[:8]
            'ba7816bf'
        """
        return cls(hashlib.sha256(content).hexdigest(), len(content))


ABSENT = Content()


@dataclass
class Notes:
    """What a manifest says of one file.

    Args:
        last: what was last written.
        begun: what was about to be written, and was never noted as written.
    """

    last: Content = ABSENT
    begun: set[Content] = field(default_factory=set)

    def add(self, content: Content, written: bool) -> None:
        """Take one more line into account."""
        if written:
            self.last = content
            self.begun.discard(content)
        else:
            self.begun.add(content)

    def allow(self, content: bytes, grows: bool) -> bool:
        """Whether a file that is there may hold these bytes."""
        for each in (self.last, *self.begun):
            if each.sha256 is None or (len(content) != each.size and not grows):
                continue
            if Content.of(content[: each.size]) == each:
                return True
        return False


@dataclass(frozen=True)
class Manifest:
    """The manifest of a folder, for the files in it and in the folders in it.

    Args:
        folder: absolute.
    """

    folder: Path

    @classmethod
    def start(cls, folder: str | Path) -> "Manifest":
        """Take up the manifest of a folder; where there is none, make one of what is in it by now.

        Raises:
            OSError: it cannot be written.

        Example:
            >>> import tempfile
            >>> Manifest.start(tempfile.mkdtemp()).notes()
            {}
        """
        manifest = cls(Path(os.path.abspath(folder)))
        place = manifest.folder / FILE
        known = manifest.files()  # before the next line: what another process writes, it notes
        if os.path.exists(place):
            return manifest
        if not known:
            place.touch()
            return manifest
        handle, temporary = tempfile.mkstemp(dir=manifest.folder, prefix=f".{FILE}.")
        with os.fdopen(handle, "w") as file:
            for path in known:
                file.write(manifest._line(path, Content.of(path.read_bytes()), written=True))
        os.replace(temporary, place)
        return manifest

    @classmethod
    def over(cls, path: str | Path) -> "Manifest | None":
        """The manifest that a file is noted in: of its folder, or of the one above. None where there is none."""
        path = Path(os.path.abspath(path))
        for folder in (path.parent, path.parent.parent):
            if os.path.exists(folder / FILE):
                return cls(folder)
        return None

    def name(self, path: str | Path) -> str:
        """What a file is called in the manifest."""
        return Path(os.path.abspath(path)).relative_to(self.folder).as_posix()

    def note(self, path: str | Path, content: Content, written: bool = True) -> None:
        """Append a line. What is about to be written is safe on disk first; the line after it may be lost.

        Args:
            path: the file.
            content: what it holds, or is about to hold.
            written: whether it does already.

        Raises:
            OSError: the line cannot be written.
        """
        text = self._line(path, content, written).encode()
        with (self.folder / FILE).open("ab+", buffering=0) as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # the last line is torn
                    text = b"\n" + text
            if file.write(text) < len(text):
                raise OSError("no space left for a line")
            if not written:
                os.fsync(file.fileno())

    def _line(self, path: str | Path, content: Content, written: bool) -> str:
        said = {"file": self.name(path), "sha256": content.sha256, "size": content.size, "written": written}
        text = json.dumps(said)  # begins as `_beginning` says
        return f'{text[:-1]}, "crc": {zlib.crc32(text.encode())}}}\n'

    def notes(self) -> dict[str, Notes]:
        """What is said of each file, by its name; nothing where there is no manifest.

        Lines that are torn or damaged say nothing.

        Raises:
            InputError: the manifest cannot be read.
        """
        return self._said("")

    def of(self, path: str | Path) -> Notes:
        """What is said of one file; see `notes`."""
        name = self.name(path)
        return self._said(_beginning(name)).get(name, Notes())

    def _said(self, beginning: str) -> dict[str, Notes]:
        """What the lines that begin so say."""
        path = self.folder / FILE
        try:
            text = path.read_text(errors="replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        found: dict[str, Notes] = {}
        for line in text.split("\n"):
            if line.startswith(beginning) and (said := _parsed(line)):
                name, content, written = said
                found.setdefault(name, Notes()).add(content, written)
        return found

    def state(self, path: str | Path, grows: bool = False) -> str:
        """What has become of a file that is noted: ``ok``, ``changed``, ``missing``, or ``removed`` on purpose."""
        if os.path.exists(path):
            try:
                read_checked(path, grows)
            except InputError:
                return "changed"
            return "ok"
        notes = self.of(path)
        if ABSENT in (notes.last, *notes.begun):
            return "removed"
        return "missing"

    def files(self) -> list[Path]:
        """The files of a run in the folder and in the folders in it; hidden ones and others are none of its."""
        found = []
        for path in sorted([*self.folder.glob("*"), *self.folder.glob("*/*")]):
            hidden = any(part.startswith(".") for part in path.relative_to(self.folder).parts)
            if path.suffix in KINDS and path.name != FILE and not hidden and path.is_file():
                found.append(path)
        return found


def _beginning(name: str) -> str:
    return f'{{"file": {json.dumps(name)},'


def _parsed(line: str) -> tuple[str, Content, bool] | None:
    try:
        said: Any = json.loads(line)
        if said.pop("crc") != zlib.crc32(json.dumps(said).encode()):
            return None
        name, sha256, size, written = said["file"], said["sha256"], said["size"], said["written"]
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if type(name) is not str or type(size) is not int or type(written) is not bool:
        return None
    if sha256 is not None and type(sha256) is not str:
        return None
    return name, Content(sha256, size), written


@contextmanager
def noted(path: str | Path, content: Content) -> Iterator[None]:
    """Note what a file is about to hold, and after the block that it does; nothing where there is no manifest.

    Raises:
        OSError: the manifest cannot be written; the block is not entered.
    """
    manifest = Manifest.over(path)
    if manifest is not None:
        manifest.note(path, content, written=False)
    yield
    if manifest is not None:
        manifest.note(path, content)


def read_plain(path: str | Path) -> bytes:
    """The bytes of a file. A pipe would be waited for, and a device may have no end: neither is read.

    Raises:
        OSError: it cannot be read, or is no plain file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "is no plain file")
    return Path(path).read_bytes()


def read_checked(path: str | Path, grows: bool = False) -> bytes:
    """Read a file, and refuse it if it is not what its manifest says.

    Args:
        path: the file.
        grows: whether more may have been appended since it was noted.

    Raises:
        InputError: it is damaged, belongs to another run, or is not of this one.
        OSError: it cannot be read.

    Example:
        >>> import tempfile
        >>> path = Manifest.start(tempfile.mkdtemp()).folder / "a.txt"
        >>> with noted(path, Content.of(b"whole")):
        ...     _ = path.write_bytes(b"whole")
        >>> read_checked(path)
        b'whole'
    """
    manifest = Manifest.over(path)
    if manifest is None:
        return read_plain(path)
    before = manifest.of(path)
    content = read_plain(path)
    if before.allow(content, grows):
        return content
    notes = manifest.of(path)  # another process may have written it meanwhile
    if notes.allow(content, grows):
        return content
    if notes == Notes():
        note = f"seatbelt upgrade {manifest.folder}"
        raise InputError(f"{path}: is not of this run ({FILE} does not name it), take it away, or note it: {note}")
    raise InputError(
        f"{path}: is damaged or of another run (its SHA-256 is not that in {FILE}), "
        "put back a copy, or delete it and make it again"
    )
