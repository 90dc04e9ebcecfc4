"""The command line as a user meets it: what it prints where, and with which exit code it ends."""

import csv
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seatbelt_vae.cli.app import COMMANDS
from seatbelt_vae.errors import RunError
from seatbelt_vae.storage import write_json
from tests.commands import TINY, Outcome, Run, refused

# What works


def test_train_evaluate_attack_report(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    evaluated = seatbelt("evaluate --json --device cpu", run_path)
    assert evaluated.code == 0
    assert json.loads(evaluated.out)["elbo"] < 0

    options = "--objective latent --pairs 2 --lambdas 0.1,10 --solver cold --device cpu"
    attacked = seatbelt(f"attack {options} --json", run_path)
    assert attacked.code == 0
    document = json.loads(attacked.out)
    assert document["lambdas"] == pytest.approx([0.1, 10])
    assert (run_path / "attacks" / f"{document['attack']}.json").exists()

    pytest.importorskip("vl_convert")
    reported = seatbelt("report --json --out", tmp_path / "report", run_path)
    assert reported.code == 0
    assert Path(json.loads(reported.out)["report"]).read_text().startswith("<!doctype html>")


def test_for_people(seatbelt: Run, run_path: Path) -> None:
    assert "elbo" in seatbelt("evaluate --device cpu", run_path).out
    attacked = seatbelt("attack --objective latent --pairs 2 --lambdas 0.1,10 --solver cold --device cpu", run_path)
    lines = attacked.out.strip().splitlines()
    assert lines[0].endswith(", 2 pairs")
    assert lines[1].startswith("success is not defined on 2 of 2 pairs")  # after four steps of training
    assert next(line for line in lines if line.startswith("auddc")).endswith("higher")
    assert [line.split()[0] for line in lines[-3:]] == ["λ", "0.1", "10"]


def test_train_says_where_the_run_is_and_does_not_train_twice(seatbelt: Run, run_path: Path, blobs: Path) -> None:
    before = (run_path / "training.safetensors").stat().st_mtime_ns
    again = seatbelt(f"train {TINY} --json --out", run_path, "--data", blobs)
    assert again.code == 0
    document = json.loads(again.out)
    assert (document["run"], document["steps"]) == (str(run_path), 4)
    assert document["last"]["elbo"] < 0
    assert (run_path / "training.safetensors").stat().st_mtime_ns == before
    assert f"seatbelt evaluate {run_path}" in seatbelt("train --resume --out", run_path).out


def test_train_from_toml(seatbelt: Run, blobs: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text(
        f'[data]\nname = "{blobs}"\n[model]\nname = "vae"\nnetwork = "tiny"\n[training]\nsteps = 2\nbatch_size = 8\n'
    )
    done = seatbelt("train --device cpu --json --spec", spec, "--steps", "3", "--out", tmp_path / "run")
    assert json.loads(done.out)["steps"] == 3
    assert json.loads(done.out)["name"].startswith("vae-L1-")


def test_data_list_and_info(seatbelt: Run, blobs: Path, tmp_path: Path) -> None:
    names = [entry["name"] for entry in json.loads(seatbelt("data list --json").out)]
    assert names == ["sprites", "dsprites", "chairs", "faces3d", "celeba"]
    assert "sprites" in seatbelt("data list").out
    info = seatbelt("data info --json --images 4 --sheet", tmp_path / "sheet.png", blobs)
    assert json.loads(info.out)["images"] == 40
    assert (tmp_path / "sheet.png").read_bytes()[1:4] == b"PNG"
    assert "images" in seatbelt("data info --sheet", tmp_path / "sheet.png", blobs).out


def test_an_interrupted_demo_says_how_to_go_on(seatbelt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vl_convert")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("stopped at step 2 of 20, go on with: seatbelt train --out demo/vae --resume")

    monkeypatch.setattr("seatbelt_vae.cli.demo.run_demo", interrupted)
    stopped = seatbelt("demo --quick --device cpu --out", tmp_path)
    assert stopped.code == 130
    again = f"seatbelt demo --out {tmp_path} --seed 0 --quick"
    assert stopped.last == f"seatbelt: interrupted: nothing is lost, go on with: {again}"


def test_a_demo_that_could_not_draw_its_report_does_not_begin(
    seatbelt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    refused(seatbelt("demo --quick --device cpu --out", tmp_path / "demo"), "pip install 'seatbelt-vae[report]'")
    assert not (tmp_path / "demo").exists()


def test_demo(seatbelt: Run, tmp_path: Path) -> None:
    from seatbelt_vae.experiments import run_demo

    pytest.importorskip("vl_convert")
    run_demo(tmp_path, quick=True, device="cpu")
    weights = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.safetensors")}
    assert len(weights) == 8
    shown = seatbelt("demo --quick --device cpu --weights", tmp_path / "weights", "--out", tmp_path)
    assert shown.code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.safetensors")} == weights, "trained again"
    assert shown.out.strip().splitlines()[-1] == f"report: {tmp_path / 'report.html'}"
    assert (tmp_path / "report.html").exists()
    archives = ["SHA256SUMS", "beta-tcvae.zip", "robust-vae.zip", "seatbelt-vae.zip", "vae.zip"]
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == archives
    for model in ("VAE", "β-TCVAE", "Seatbelt-VAE"):
        assert model in shown.out
    assert "AUDDC" in shown.out


def test_weights_to_publish_come_back_to_the_bit(run_path: Path, tmp_path: Path) -> None:
    from seatbelt_vae.experiments import RunFolder
    from seatbelt_vae.models import HierarchicalVAE
    from seatbelt_vae.report.release import write_weights

    run = RunFolder.open(run_path)
    archive, sums = write_weights([run], tmp_path / "weights")
    assert sums.read_text() == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  tiny.zip\n"
    again, _ = write_weights([run], tmp_path / "again")
    assert again.read_bytes() == archive.read_bytes()
    shutil.unpack_archive(archive, tmp_path / "elsewhere")
    folder = tmp_path / "elsewhere" / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    loaded = HierarchicalVAE.from_pretrained(folder).state_dict()
    for name, value in run.model().state_dict().items():
        assert torch.equal(loaded[name], value)
    card = (folder / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert 'from_pretrained("tiny")' in card


@pytest.mark.parametrize(
    "words",
    ["data", "data list", "data info", "data prepare", *(name for name in COMMANDS if name != "data")],
)
def test_every_command_helps_with_an_example(seatbelt: Run, words: str) -> None:
    helped = seatbelt(f"{words} --help")
    assert helped.code == 0
    assert f"Example: seatbelt {words.split()[0]}" in helped.out
    if words != "data":
        assert "--json" in helped.out


def test_version(seatbelt: Run) -> None:
    import torch

    from seatbelt_vae import __version__

    shown = seatbelt("--version")
    assert shown.code == 0
    assert shown.out.startswith(f"seatbelt {__version__}, torch {torch.__version__}, device ")


# What is refused: issue by issue


def test_a_missing_file(seatbelt: Run, tmp_path: Path) -> None:
    refused(seatbelt("train --data", tmp_path / "none.npz"), "none.npz")
    refused(seatbelt("train --spec", tmp_path / "none.toml"), "none.toml", "cannot be read")
    refused(seatbelt("evaluate", tmp_path / "none"), "is not a run folder")
    refused(seatbelt("attack", tmp_path / "none"), "is not a run folder")
    refused(seatbelt("report", tmp_path / "none"), "is not a run folder")
    refused(seatbelt("data info", tmp_path / "none.npz"), "none.npz")
    refused(seatbelt("train --resume --out", tmp_path / "none"), "is not a run folder")


def test_a_corrupt_npz(seatbelt: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not really")
    refused(seatbelt("train --data", tmp_path / "bad.npz"), "bad.npz")
    np.savez(tmp_path / "keyless.npz", pictures=np.zeros((4, 28, 28), dtype=np.uint8))
    refused(seatbelt("train --data", tmp_path / "keyless.npz"), "images")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 28), dtype=np.uint8),
        np.zeros((4, 28, 28, 5), dtype=np.uint8),
        np.full((4, 28, 28), 300.0),
        np.full((4, 28, 28), -1.0),
        np.full((4, 28, 28), np.nan),
        np.full((4, 28, 28), np.inf),
        np.zeros((4, 28, 28), dtype=complex),
    ],
    ids=["2-dimensional", "5 channels", "above 255", "below 0", "NaN", "infinite", "complex"],
)
def test_images_of_wrong_shape_or_range(seatbelt: Run, tmp_path: Path, images: np.ndarray[Any, Any]) -> None:
    np.savez(tmp_path / "x.npz", images=images)
    refused(seatbelt("train --device cpu --data", tmp_path / "x.npz"), "x.npz")


def test_images_that_no_network_takes(seatbelt: Run, blobs: Path) -> None:
    refused(seatbelt("train --device cpu --size 16 --data", blobs), "image side 16", "28 to 128")


def test_an_unknown_model(seatbelt: Run, blobs: Path) -> None:
    refused(seatbelt("train --model seatbelr --data", blobs), "'seatbelr'", "did you mean seatbelt?", "ladder-vae")


def test_negative_or_unreadable_lambdas(seatbelt: Run, run_path: Path) -> None:
    refused(seatbelt("attack --device cpu --lambdas=-1", run_path), "lambdas", "-1")
    refused(seatbelt("attack --device cpu --lambdas 1,-1", run_path), "lambdas", "-1")
    refused(seatbelt("attack --device cpu --lambdas 1,x", run_path), "--lambdas: '1,x' is not a list of numbers")
    refused(seatbelt("attack --device cpu --lambdas log", run_path), "'log'", "paper")


def test_fewer_images_than_pairs(seatbelt: Run, run_path: Path) -> None:
    refused(seatbelt("attack --device cpu --pairs 9", run_path), "9 pairs need 18 different images, it has 16")


def test_a_run_folder_of_another_spec(seatbelt: Run, run_path: Path, blobs: Path) -> None:
    refused(
        seatbelt(f"train {TINY} --seed 3 --data", blobs, "--out", run_path),
        "holds another run (training.seed is 0 there, 3 here)",
    )
    refused(seatbelt("train --resume --steps 9 --out", run_path), "training.steps is 4 there, 9 here")


def test_a_run_that_is_not_finished_or_is_broken(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_bytes((run_path / "spec.json").read_bytes())
    refused(seatbelt("evaluate", tmp_path), "is trained for 0 of 4 steps", f"seatbelt train --out {tmp_path} --resume")
    (tmp_path / "training.safetensors").write_bytes(b"torn")
    refused(seatbelt("evaluate", tmp_path), "training.safetensors", "is not a training state")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("train --betaa 3", "--beta?"),
        ("train --beta x", "--beta"),
        ("train --steps 0", "training.steps: 0 is too small, use 1 or more"),
        ("train --resume", "--resume and --extend: need --out"),
        ("train --device tpu", "device: 'tpu' is unknown, use one of auto, cpu, cuda, mps"),
        ("train --data nosuchdata", "nosuchdata"),
        ("train --latent-sizes 4,two", "--latent-sizes"),
        ("train --model vae --layers 2", "vae has one layer"),
        ("trian", "did you mean train?"),
        ("evaluate", "RUN"),
        ("attack", "RUN"),
        ("report", "RUNS"),
        ("data info", "NAME"),
    ],
)
def test_what_is_mistyped(seatbelt: Run, words: str, part: str) -> None:
    refused(seatbelt(words), part)


# What fails, and what is interrupted


def test_a_run_that_fails_ends_with_one(seatbelt: Run, blobs: Path, tmp_path: Path) -> None:
    failed = seatbelt(f"train {TINY} --lr 1e30 --clip-norm 1e30 --data", blobs, "--out", tmp_path / "run")
    assert failed.code == 1
    assert failed.out == ""
    assert failed.last.startswith("seatbelt: step ")
    assert "Traceback" not in failed.err


def test_the_error_stays_one_line(seatbelt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[tuple[str, str]]:
        raise RunError("first\n  second")

    monkeypatch.setattr("seatbelt_vae.cli.data.available", fail)
    assert seatbelt("data list") == Outcome(1, "", "seatbelt: first second\n")


def test_out_of_memory_is_said_in_words_and_a_bug_is_not_hidden(seatbelt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fail() -> None:
        raise torch.OutOfMemoryError("tried to allocate 1 TiB")

    def break_() -> None:
        raise RuntimeError("a bug")

    def fail_on_a_cpu() -> None:
        torch.empty(2**60)  # a plain RuntimeError

    for failing in (fail, fail_on_a_cpu):
        monkeypatch.setattr("seatbelt_vae.cli.data.available", failing)
        outcome = seatbelt("data list")
        assert (outcome.code, outcome.out) == (1, "")
        assert "out of memory" in outcome.err
    monkeypatch.setattr("seatbelt_vae.cli.data.available", break_)
    with pytest.raises(RuntimeError, match="a bug"):
        seatbelt("data list")


def test_our_warnings_are_one_line(seatbelt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from seatbelt_vae.training import CollapseWarning

    def warn() -> list[tuple[str, str]]:
        warnings.warn("layer 2", CollapseWarning, stacklevel=1)
        warnings.warn("for developers", UserWarning, stacklevel=1)
        return [("a", "b")]

    monkeypatch.setattr("seatbelt_vae.cli.data.available", warn)
    assert seatbelt("data list").err == "seatbelt: warning: layer 2\n"


def test_ctrl_c_says_how_to_go_on_and_that_works(
    seatbelt: Run, blobs: Path, run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seatbelt_vae.training.update import Update

    update = Update.__call__

    def interrupted(self: Update, step: int, advice: str = "") -> object:
        if step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, step, advice)

    monkeypatch.setattr(Update, "__call__", interrupted)
    out = tmp_path / "run"
    stopped = seatbelt(f"train {TINY} --data", blobs, "--out", out)
    assert stopped.code == 130
    resume = f"train --out {out} --resume"
    assert stopped.last == f"seatbelt: interrupted: stopped at step 2 of 4, go on with: seatbelt {resume}"
    monkeypatch.undo()
    assert seatbelt(f"{resume} --device cpu").code == 0
    assert (out / "model.safetensors").read_bytes() == (run_path / "model.safetensors").read_bytes()


# What only a process of its own can show


def process(words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "seatbelt_vae.cli", *words.split()]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys\nfrom seatbelt_vae.cli import main\n"
        "main(['--help']); main([]); main(['trian'])\n"
        "sys.exit(any(heavy in sys.modules for heavy in ('torch', 'numpy', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_process_ends_with_the_code_and_without_a_traceback(tmp_path: Path) -> None:
    ended = process("evaluate nowhere", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


def test_runs_of_one_name_in_two_folders_are_reported_together(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    for parent in ("first", "second"):
        shutil.copytree(run_path, tmp_path / parent / "run")
    both = tmp_path / "first" / "run", tmp_path / "second" / "run"
    assert seatbelt("report --json --out", tmp_path / "report", *both).code == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "first/run" in page
    assert "second/run" in page
    refused(seatbelt("report --out", tmp_path / "again", both[0], both[0]), "give each run once")


def test_measurements_that_are_none_are_left_out_of_a_report(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    run = shutil.copytree(run_path, tmp_path / "run")
    assert seatbelt("evaluate --measure noise --device cpu", run).code == 0
    told = json.loads((run / "evaluation.json").read_text())
    told["noise_drop"][0] = None
    del told["noise_drop_error"]
    write_json(run / "evaluation.json", told)
    assert seatbelt("report --out", tmp_path / "report", run).code == 0
    write_json(run / "evaluation.json", [])
    refused(seatbelt("report --out", tmp_path / "report", run), "evaluation.json: must hold a table")


def test_a_sheet_does_not_become_data(seatbelt: Run, tmp_path: Path) -> None:
    from PIL import Image

    for i in range(2):
        Image.new("L", (28, 28), 9 * i).save(tmp_path / f"{i}.png")
    refused(seatbelt("data info --sheet", tmp_path / "sheet.png", tmp_path), "would lie among the images")
    assert len(list(tmp_path.iterdir())) == 2


def test_work_goes_on_where_nobody_reads_what_is_said_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from seatbelt_vae.cli.console import note

    class Closed:
        def write(self, text: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    for closed in (Closed(), None):
        monkeypatch.setattr(sys, "stderr", closed)
        note("unheard")


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "seatbelt_vae.cli", "data", "list"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "2>/dev/full"])
def test_a_closed_stream_ends_no_work(blobs: Path, tmp_path: Path, closed: str) -> None:
    words = [*TINY.split(), "--data", str(blobs), "--out", str(tmp_path / "run")]
    line = shlex.join([sys.executable, "-m", "seatbelt_vae.cli", "train", *words])
    ended = subprocess.run(["bash", "-c", f"{line} {closed}"], capture_output=True, check=False)
    assert ended.returncode == 0
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_a_reader_of_stderr_who_leaves_ends_no_work(blobs: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [*TINY.split(), "--data", str(blobs), "--out", str(tmp_path / "run")]
    ended = subprocess.run([sys.executable, "-m", "seatbelt_vae.cli", "train", *words], stderr=writing, check=False)
    os.close(writing)
    assert ended.returncode == 0
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_what_cannot_be_written_to_stdout_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "seatbelt_vae.cli", "data", "list"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "seatbelt: [Errno 28] No space left on device\n"


def test_a_terminal_is_not_commanded_by_a_name(seatbelt: Run) -> None:
    ended = seatbelt("table", "b\x1b[2J\x07\u202e", "--out", "a.csv")
    refused(ended, "b?[2J??: is not a run folder")


def test_a_terminal_of_few_letters() -> None:
    """λ is no letter of Windows' cp1252."""
    code = "import sys; from seatbelt_vae.cli.console import show; show(None, False, ['λ × 2'])"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert ended.stdout == "? × 2\n".encode("cp1252")


@pytest.mark.parametrize("columns", ["0", "1", "2", "-3", "999999999", "many"])
def test_help_at_any_width(columns: str) -> None:
    ended = process("train --help", env={**os.environ, "COLUMNS": columns}, timeout=60)
    assert ended.returncode == 0
    assert "--beta" in ended.stdout


def test_no_message_repeats_a_long_value(seatbelt: Run, run_path: Path) -> None:
    long = "x" * 5000
    for words in (["attack", run_path, "--solver", long], ["evaluate", long], [long], ["data", "info", long]):
        refused(seatbelt("", *words), "x")
        assert len(seatbelt("", *words).err) < 1000


@pytest.mark.parametrize(
    "words",
    [f"attack --pairs {2**63}", "attack --pairs 1e30", "attack --seed -1", f"attack --pair-seed {2**64}",
     "attack --max-iterations 0", "attack --radii 1 --lambdas 1", "attack --objective output --layers top",
     "attack --objective damage", "attack --restarts 3", "attack --preset kos --radii nan", "evaluate --samples 1e30"],
)  # fmt: skip
def test_what_cannot_be_said_is_one_line(seatbelt: Run, run_path: Path, words: str) -> None:
    refused(seatbelt(words, run_path))


def test_a_published_attack_and_what_is_changed_of_it(seatbelt: Run, run_path: Path) -> None:
    done = seatbelt("attack --preset kos --lambdas 1 --max-iterations 2 --pairs 2 --device cpu --json", run_path)
    settings = json.loads(done.out)["settings"]
    assert settings["solver"] == {"name": "cold", "max_iterations": 2}
    assert settings["objective"]["divergence"] == "l2-means"


def test_robust_training(seatbelt: Run, blobs: Path, tmp_path: Path) -> None:
    words = f"train {TINY} --robust adversarial --radius 0.1 --json --data"
    assert seatbelt(words, blobs, "--out", tmp_path / "run").code == 0
    robust = json.loads((tmp_path / "run" / "spec.json").read_text())["robust"]
    assert (robust["method"], robust["radius"]) == ("adversarial", 0.1)
    refused(seatbelt(f"train {TINY} --robust adversarial --data", blobs), "radius")


def test_one_long_table(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(run_path, store / "run")
    out = tmp_path / "numbers.csv"
    assert seatbelt("evaluate --measure elbo --device cpu", store / "run").code == 0
    for place in (store, store / "run"):
        done = seatbelt("table --json --out", out, place)
        assert json.loads(done.out) == {"table": str(out), "runs": ["run"]}
        with out.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["measure"] for row in rows if not row["attack"]} >= {"elbo", "kl"}
        assert {row["run"] for row in rows} == {"run"}
    refused(seatbelt("table --out", tmp_path / "numbers.xls", store), "numbers.xls: the table's format is not known")
    refused(seatbelt("table --out", out, tmp_path / "none"), "is not a run folder")


def test_the_shell_learns_the_options(tmp_path: Path) -> None:
    out = tmp_path / "seatbelt.bash"
    ended = process(f"--install-completion --shell bash --output {out}", env={**os.environ, "HOME": str(tmp_path)})
    assert ended.returncode == 0, ended.stderr
    assert "--latent-sizes" in out.read_text()
