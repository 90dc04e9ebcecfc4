"""The manifest: what it lets through after a kill, and what it refuses."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from seatbelt_vae import storage
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.manifest import FILE, Content, Manifest, read_checked
from seatbelt_vae.storage import adopt, begin, read_json, remove, settle, unnamed, write_bytes, write_json

OLD, NEW = {"x": 1}, {"x": 2}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin(tmp_path)
    return tmp_path


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def killed_at(place: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> bool:
    """Do some work and end it at its note or rename of that number; whether it came so far."""
    calls = []

    def watched(real: Callable[..., None]) -> Callable[..., None]:
        def call(*words: object, **more: object) -> None:
            if len(calls) == place:
                raise Killed
            calls.append(real)
            real(*words, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "note", watched(Manifest.note))
        patch.setattr(os, "replace", watched(os.replace))
        patch.setattr(Path, "unlink", watched(Path.unlink))
        try:
            work()
        except Killed:
            return True
    return False


def test_a_line_before_and_a_line_after(folder: Path) -> None:
    path = write_json(folder / "attacks" / "a.json", OLD)
    content = path.read_bytes()
    said = {"file": "attacks/a.json", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    found = lines(folder)
    for line in found:
        assert line.pop("crc") == zlib.crc32(json.dumps(line).encode())
    assert found == [{**said, "written": False}, {**said, "written": True}]


@pytest.mark.parametrize("place", range(3))
def test_killed_while_writing_the_file_is_old_or_new(folder: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    path = write_json(folder / "a.json", OLD)
    assert killed_at(place, monkeypatch, lambda: write_json(path, NEW))
    assert read_json(path) == (NEW if place == 2 else OLD)
    assert Manifest(folder).state(path) == "ok"
    write_json(path, NEW)
    assert read_json(path) == NEW


@pytest.mark.parametrize("place", range(3))
def test_killed_while_writing_for_the_first_time_nothing_is_missed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    path = folder / "a.json"
    assert killed_at(place, monkeypatch, lambda: write_json(path, NEW))
    assert Manifest(folder).state(path) == ("ok" if place == 2 else "removed")


@pytest.mark.parametrize("place", range(3))
def test_killed_while_removing_nothing_is_missed(folder: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    path = write_json(folder / "a.json", OLD)
    assert killed_at(place, monkeypatch, lambda: remove(path))
    assert Manifest(folder).state(path) == ("removed" if place == 2 else "ok")
    remove(path)
    assert Manifest(folder).state(path) == "removed"


def test_all_kills_were_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not killed_at(3, monkeypatch, lambda: write_json(folder / "a.json", OLD))


def test_what_is_changed_exchanged_or_older_is_refused(folder: Path) -> None:
    path = write_json(folder / "a.json", OLD)
    older = path.read_bytes()
    write_json(path, NEW)
    write_json(folder / "b.json", {"y": 3})
    for content in (older, older[:-3], b"", (folder / "b.json").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.json: is damaged or of another run .*, put back a copy, or delete"):
            read_json(path)
    (folder / "c.json").write_text("{}")
    with pytest.raises(InputError, match=r"c\.json: is not of this run"):
        read_json(folder / "c.json")


def test_what_grows_is_known_as_far_as_it_was_noted(folder: Path) -> None:
    path = write_bytes(folder / "log", b"one\n")
    with path.open("a") as file:
        file.write("two\n")
    assert read_checked(path, grows=True) == b"one\ntwo\n"
    settle(path)
    with path.open("a") as file:
        file.write("thr")
    assert read_checked(path, grows=True) == b"one\ntwo\nthr"
    for content in (b"one\ntwx\nthr", b"one\ntw", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            read_checked(path, grows=True)


def test_a_torn_line_says_nothing_and_spoils_no_other(folder: Path) -> None:
    path = write_json(folder / "a.json", OLD)
    with (folder / FILE).open("a") as file:
        file.write('{"file": "a.json", "sha256": "0')
    assert read_json(path) == OLD
    write_json(path, NEW)
    assert read_json(path) == NEW


@pytest.mark.parametrize("line", ["[]", "1", "[" * 100_000, '{"file": "a.json"}', '{"file": "a.json", "sha256": 1}'])
def test_a_line_that_is_none_is_passed_over(folder: Path, line: str) -> None:
    path = write_json(folder / "a.json", OLD)
    with (folder / FILE).open("a") as file:
        file.write(f"{line}\n")
    assert read_json(path) == OLD
    assert list(Manifest(folder).notes()) == ["a.json"]


def test_a_folder_of_before_is_read_unchecked_and_then_adopted(tmp_path: Path) -> None:
    path = tmp_path / "attacks" / "a.json"
    path.parent.mkdir()
    path.write_text("{}")
    for other in (".lock", ".a.json.x1", "notes.txt"):
        (tmp_path / other).touch()
    assert read_json(path) == {}
    assert unnamed(tmp_path) == [path]
    adopt(tmp_path)
    assert list(Manifest(tmp_path).notes()) == ["attacks/a.json"]
    path.write_text("[]")
    with pytest.raises(InputError, match="is damaged"):
        read_json(path)


def test_processes_that_write_side_by_side_lose_no_line(folder: Path) -> None:
    children = []
    for writer in range(3):
        child = os.fork()
        if child == 0:
            try:
                for place in range(40):
                    write_json(folder / f"{writer}-{place}.json", {"place": place})
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert len(Manifest(folder).notes()) == 120
    assert {
        Manifest(folder).state(folder / f"{writer}-{place}.json") for writer in range(3) for place in range(40)
    } == {"ok"}


def test_what_another_process_writes_meanwhile_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_json(folder / "a.json", OLD)
    read = Path.read_bytes

    def late(file: Path) -> bytes:
        monkeypatch.undo()
        write_json(path, NEW)
        return read(file)

    monkeypatch.setattr(Path, "read_bytes", late)
    assert read_json(path) == NEW


def test_without_room_for_a_line_the_file_stays_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_json(folder / "a.json", OLD)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Manifest, "note", full)
    for work in (lambda: write_json(path, NEW), lambda: remove(path), lambda: settle(path)):
        with pytest.raises(RunError, match=r"a\.json: could not be .*No space left"):
            work()
    monkeypatch.undo()
    assert read_json(path) == OLD
    assert sorted(each.name for each in folder.iterdir()) == ["a.json", FILE]


def test_ctrl_c_in_a_write_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_json(folder / "a.json", OLD)
    assert [each.name for each in folder.iterdir()] == [FILE]


def test_the_hash_is_that_of_the_published_vector() -> None:
    """FIPS 180-2, appendix B.1."""
    assert Content.of(b"abc").sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
