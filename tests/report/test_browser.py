"""The page in a real browser, where there is one: the slider moves the pictures, nothing fails, nothing is fetched."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.page import page

from .synthetic import inside_balls, synthetic_runs, with_extras

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip

WATCH = """<script>
window.wrong = [];
addEventListener("error", (event) => wrong.push(String(event.message)));
addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => wrong.push(event.blockedURI));
</script>"""

ACT = """<script>
(async () => {
  const wait = () => new Promise((done) => setTimeout(done, 1000));
  const seen = () => [...document.querySelectorAll("#models canvas")].map((canvas) => canvas.toDataURL());
  const numbers = () => [...document.querySelectorAll("#models dl")].map((list) => list.innerText);
  const set = (id, value, kind) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event(kind));
  };
  await wait();
  const slider = document.getElementById("slider"), log = {};
  set("slider", slider.max, "input");
  await wait();
  log.right = seen();
  log.rightSays = slider.getAttribute("aria-valuetext");
  set("slider", slider.min, "input");
  await wait();
  log.left = seen();
  document.querySelector("input[value=distortion]").click();
  await wait();
  log.matched = numbers();
  set("pair", 1, "change");
  await wait();
  log.second = seen();
  set("model", 1, "change");
  await wait();
  log.one = seen().length;
  const head = [...document.querySelectorAll("thead .sort")].find((button) => button.textContent.startsWith("AUDDC"));
  head.click();
  log.order = [...head.closest("table").tBodies[0].rows].map((row) => row.cells[0].textContent);
  head.click();
  log.reversed = [...head.closest("table").tBodies[0].rows].map((row) => row.cells[0].textContent);
  set("attack", 1, "change");
  await wait();
  document.querySelector("input[value=budget]").click();
  await wait();
  set("slider", slider.max, "input");
  await wait();
  log.ball = [slider.getAttribute("aria-valuetext"), document.getElementById("lead").textContent, numbers()[0]];
  log.width = innerWidth;
  log.wide = document.documentElement.scrollWidth > innerWidth;
  log.wrong = window.wrong;
  log.requests = performance.getEntriesByType("resource").filter(({ name }) => !name.startsWith("data:")).length;
  parent.postMessage(JSON.stringify(log), "*");
})();
</script>"""

# A headless window is never narrower than 500 pixels, but a frame in it can be.
FRAME = """<!doctype html><body style="margin: 0">
<script>onmessage = (event) => {
  const note = document.createElement("pre");
  note.id = "log";
  note.textContent = event.data;
  document.body.append(note);
};</script>
<iframe src="report.html" style="border: 0; width: WIDTHpx; height: 1500px"></iframe>"""


@pytest.fixture(scope="module")
def runs() -> list[Any]:
    made = with_extras(synthetic_runs(models=2, pairs=2, count=7, modes=("latent",)))
    return [replace(run, attacks={**run.attacks, "balls": inside_balls(run.attacks["latent"])}) for run in made]


@pytest.fixture(scope="module", params=[1400, 400])
def log(request: pytest.FixtureRequest, runs: list[Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("browser")
    html = page(runs, groups(runs)).replace("<script type=", WATCH + "<script type=", 1)
    (folder / "report.html").write_text(html.replace("</body>", ACT + "</body>"))
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(request.param)))
    for _ in range(5):  # pictures are decoded in real time, which the browser's own clock does not wait for
        said = seen(folder)
        if all(said["ball"]) and said["one"] == 6 and said["second"][0] != said["right"][0]:
            break
    assert said["width"] == request.param
    return said


def seen(folder: Path) -> dict[str, Any]:
    """What the page says of itself in a browser."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1500"]
    done = subprocess.run([*command, (folder / "frame.html").as_uri()], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="log">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    log: dict[str, Any] = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return log


def test_nothing_fails_and_nothing_is_fetched(log: dict[str, Any]) -> None:
    assert log["wrong"] == []
    assert log["requests"] == 0


def test_nothing_sticks_out_sideways(log: dict[str, Any]) -> None:
    assert not log["wide"]


def test_the_slider_moves_the_attacked_pictures_and_no_others(log: dict[str, Any]) -> None:
    assert len(log["right"]) == 12
    assert log["rightSays"] == "λ = 2 to the power 20"
    moved = [left != right for left, right in zip(log["left"], log["right"], strict=True)]
    assert moved == [False, False, True, True, True, False] * 2


def test_where_distortion_is_dear_x_star_is_x(log: dict[str, Any]) -> None:
    for model in range(2):
        assert log["right"][6 * model] == log["right"][6 * model + 2]


def test_models_matched_by_distortion_are_those_of_the_table(log: dict[str, Any], runs: list[Any]) -> None:
    group = groups(runs)[0]
    for text, trial in zip(log["matched"], group.trials, strict=True):
        shown = re.search(r"success\s+(\S+)", text)
        assert shown
        best = float(group.values(trial, "success_at_0.5")[0])
        assert float(shown[1].replace("−", "-")) == pytest.approx(best, abs=0.006)


def test_pairs_and_models_can_be_chosen(log: dict[str, Any]) -> None:
    assert log["second"][0] != log["right"][0]
    assert log["one"] == 6


def test_tables_are_sorted_by_their_headings(log: dict[str, Any]) -> None:
    assert log["order"] == ["VAE", "β-TCVAE, β=4"]
    assert log["reversed"] == log["order"][::-1]


def test_inside_balls_the_slider_is_a_radius(log: dict[str, Any]) -> None:
    says, lead, numbers = log["ball"]
    assert says == "ε = 3.5"
    assert lead.startswith("Move ε, the radius")
    assert "λ" not in numbers
    assert re.match(r"ε\s+3\.5\s", numbers)
