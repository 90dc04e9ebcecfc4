import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.page import default_title, embedded, page, provenance
from seatbelt_vae.report.summary import summary

from .synthetic import synthetic_runs

VOID = {"meta", "link", "input", "br", "img"}


@pytest.fixture(scope="module")
def document(runs: list[Record]) -> str:
    return page(runs, groups(runs))


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if not self.open or self.open[-1] not in ("script", "style") else ""


@pytest.fixture(scope="module")
def parsed(document: str) -> Page:
    reader = Page()
    reader.feed(document)
    return reader


def test_no_request_leaves_the_page(document: str, parsed: Page) -> None:
    for tag, name, value in parsed.attributes:
        if name in ("src", "href", "srcset", "action", "xlink:href"):
            assert value.startswith(("#", "data:")), (tag, name, value[:60])
    assert set(re.findall(r"https?://[^\s\"'<>)]*", document)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", document))
    assert not re.search(r"@import|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", document)


def test_a_policy_forbids_what_the_page_does_not_need(parsed: Page) -> None:
    policy = next(value for tag, name, value in parsed.attributes if tag == "meta" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_it_is_whole_and_identifiers_are_unique(parsed: Page) -> None:
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    links = {value[1:] for tag, name, value in parsed.attributes if tag == "a" and name == "href"}
    assert links == {"table", "pictures", "curves", "clean", "training", "reading", "provenance"}
    assert links <= set(parsed.ids)
    labels = {value for _, name, value in parsed.attributes if name in ("aria-labelledby", "for")}
    assert labels <= set(parsed.ids)


def test_it_says_what_a_reader_needs(parsed: Page, runs: list[Record]) -> None:
    for sentence in summary(runs, groups(runs)):
        assert sentence in parsed.text
    for words in (
        "Success s",
        "Un-squared L2 norm",
        "nats",
        "not comparable across models",
    ):
        assert words in parsed.text


def test_it_says_where_every_number_comes_from(parsed: Page) -> None:
    for words in ("data.digest", "9f86d081884c7d659a2feaa0c55ad015", "training.seed", "versions.torch", "2.13.0"):
        assert words in parsed.text
    assert "attack 1.solver.name" in parsed.text
    assert re.search(r"written with .*torch \d", parsed.text)


def test_data_in_a_file_are_called_by_its_name(runs: list[Record]) -> None:
    run = replace(runs[0], settings={"data": {"name": "/some/where/chairs.npz"}})
    assert default_title([run]) == "How a model of chairs withstands attack"


def test_every_chart_has_words_for_those_who_do_not_see_it(document: str) -> None:
    charts = re.findall(r"<figure id=\"[^\"]*\"><svg role=\"img\" aria-label=\"([^\"]+)\"", document)
    assert len(charts) == 2 * 5 + 3
    assert all(charts)


def test_everything_that_can_be_measured_has_its_section(full: list[Record]) -> None:
    document = page(full, groups(full))
    reader = Page()
    reader.feed(document)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    links = {value[1:] for tag, name, value in reader.attributes if tag == "a" and name == "href"}
    assert {"damage", "noise", "traversals"} <= links <= set(reader.ids)
    for words in (
        "trained with.torch",
        "Maximum damage, L2 balls",
        "Latent attack (KL) on z₃ (top)",
        "What noise costs",
        "Seatbelt-VAE, L=3, β=4, z₁ (bottom)",
    ):
        assert words in reader.text, words
    pictures = [value for tag, name, value in reader.attributes if tag == "img" and name == "src"]
    assert len(pictures) == 5
    assert all(value.startswith("data:image/webp;base64,") for value in pictures)


def test_it_is_readable_in_the_dark_and_on_a_telephone(document: str) -> None:
    assert "prefers-color-scheme: dark" in document
    assert 'name="viewport"' in document


def test_names_cannot_break_the_page(runs: list[Record]) -> None:
    nasty = "</script><b>&amp; $title \"x\" 'y'"
    (run,) = synthetic_runs(models=1, pairs=1, count=3, modes=("latent",))
    run = replace(run, label=nasty, name=nasty, settings={"data": {"name": nasty}})
    document = page([run], groups([run]))
    reader = Page()
    reader.feed(document)
    assert reader.open == []
    assert document.count("<b>") == 0
    assert reader.text.count(nasty) >= 5


def test_a_run_without_attacks_has_a_page(runs: list[Record]) -> None:
    (run,) = synthetic_runs(models=1, modes=())
    reader = Page()
    reader.feed(page([replace(run, history=[])], []))
    assert "None of them has been attacked." in reader.text
    assert "pictures" not in reader.ids


def test_embedded_json_comes_back(runs: list[Record]) -> None:
    import json

    value = {"a": "</script><!--", "b": [1.5, None, "λ"]}
    assert json.loads(embedded(value)) == value
    assert "<" not in embedded(value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded(float("nan"))


def test_settings_are_flattened_in_their_order_and_what_was_not_set_is_left_out(runs: list[Record]) -> None:
    run = replace(runs[0], settings={"b": {"y": 1, "x": (2, 3)}, "a": True, "c": None}, attacks={})
    assert list(provenance(run).items()) == [("b.y", 1), ("b.x", "[2, 3]"), ("a", True)]


def test_the_page_does_not_tell_the_folders_of_a_machine(runs: list[Record]) -> None:
    run = replace(runs[0], settings={"data": {"name": "/home/me/photos"}}, attacks={})
    assert provenance(run) == {"data.name": "photos"}
