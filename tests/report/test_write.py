import sys
from pathlib import Path

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.report import write_report
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.sections import sections
from seatbelt_vae.report.write import figures

from .synthetic import synthetic_runs, with_extras

MAGIC = {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = synthetic_runs(models=2, pairs=1, count=3, modes=("latent",))
    out = tmp_path_factory.mktemp("report")
    assert write_report(runs, out, title="Two <models>") == out / "report.html"
    return out


def test_every_figure_is_there_in_three_formats(folder: Path) -> None:
    names = {
        *(f"latent-kl-{name}" for name in ("pair-01", "objective", "target-nll", "success", "distortion")),
        "latent-kl-distortion-distortion", "training-elbo", "training-log_likelihood", "training-kl",
    }  # fmt: skip
    found = list((folder / "figures").iterdir())
    assert {(path.stem, path.suffix) for path in found} == {(name, ending) for name in names for ending in MAGIC}
    assert all(path.read_bytes().startswith(MAGIC[path.suffix]) for path in found)


def test_every_table_is_there_in_three_formats(folder: Path) -> None:
    assert {path.name for path in (folder / "tables").iterdir()} == {
        f"{name}.{ending}"
        for name in ("latent-kl", "latent-kl-objective", "clean-evidence")
        for ending in ("csv", "md", "tex")
    }


def test_what_else_was_measured_has_its_figures_and_tables() -> None:
    runs = with_extras(synthetic_runs(pairs=1, count=3, modes=("latent",)))
    compared = groups(runs)
    held = sections(runs, compared)
    names = [name for name, _ in figures(held, compared)]
    assert len(names) == len(set(names))
    assert {
        "latent-kl-z1-success", "latent-kl-z3-pair-01", "damage-reconstruction-l2-ball",
        "damage-reconstruction-l2-ball-nll", "damage-reconstruction-l2-ball-amplification",
        "noise-drop", "traversal-1-z1", "traversal-3-z3",
    } <= set(names)  # fmt: skip
    keys = [table.key for section in held for part in section.parts for table in part.tables]
    assert len(keys) == len(set(keys))
    assert {
        "latent-kl-z1", "damage-reconstruction-l2-ball", "damage-reconstruction-l2-ball-amplification",
        "clean-noise",
    } <= set(keys)  # fmt: skip


def test_the_page_bears_its_title(folder: Path) -> None:
    assert "<h1>Two &lt;models&gt;</h1>" in (folder / "report.html").read_text()


def test_a_missing_library_is_named_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(InputError, match=r"report: needs vl-convert; pip install 'seatbelt-vae\[report\]'"):
        write_report(synthetic_runs(models=1, pairs=1, count=3, modes=()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run was given"):
        write_report([], tmp_path)
