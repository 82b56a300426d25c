"""The documentation: every page is reached, its examples run, its pictures can be made, its names exist."""

import doctest
import re
import runpy
import sys
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import pytest

from tests.figures.layout import overlaps
from tests.unit.test_import_direction import ORDER

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
sys.path.insert(0, str(DOCS))

import gallery  # noqa: E402
import pages  # noqa: E402

PUBLIC = {
    name: f"{room}.{name}"
    for room in (room for line in ORDER for room in line)
    for name in getattr(import_module(f"analysis.{room}"), "__all__", [])
}


@pytest.mark.parametrize("page", ["tutorial.md", "planning.md", "survival-figures.md", "safety.md"])
def test_the_examples_run(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=flags)
    assert tried > 0
    assert failed == 0


def test_the_configuration_names_only_folders_that_are_there():
    named = runpy.run_path(str(DOCS / "conf.py"))
    folders = [*named.get("html_static_path", []), *named.get("templates_path", [])]
    assert [folder for folder in folders if not (DOCS / folder).is_dir()] == []


def test_every_page_is_in_the_contents():
    contents = "".join(
        (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("index", "how-to", "look-up", "trust")
    )
    listed = set(re.findall(r"^([a-z0-9-]+)$", contents, flags=re.MULTILINE))
    assert {page.stem for page in PAGES} - {"index"} <= listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_pages_that_are_or_are_made(page):
    made = {f"made/reference/{room}.rst" for room in pages.ROOMS} | {"made/gallery.md", "made/agreement.md"}
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or target in made or (DOCS / target).exists(), target


@pytest.mark.parametrize("page", [*PAGES, DOCS.parent / "README.md"], ids=lambda page: page.stem)
def test_files_of_the_repository_that_are_named_are_there(page):
    named = re.findall(
        r"`((?:analysis|tests|benchmarks|docs|notebooks|reported_data|figures)/[\w./-]+)`", page.read_text()
    )
    assert [path for path in named if not (DOCS.parent / path).exists()] == []


def test_links_to_the_gallery_lead_to_a_picture():
    anchors = {pages.anchor(title) for title in gallery.PICTURES}
    named = re.findall(r"made/gallery\.md#([^)]+)\)", (DOCS / "survival-figures.md").read_text(encoding="utf-8"))
    assert len(named) > len(anchors) / 2
    assert set(named) <= anchors


def test_the_reference_has_every_room_with_public_names():
    rooms = {name.split(".")[0] for name in PUBLIC.values()}
    assert set(pages.ROOMS) == rooms - {"studies", "cli", "engine", "expected"}


def test_names_beside_r_are_ours():
    rows = re.findall(r"^\| .+? \| (.+) \|$", (DOCS / "from-r.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = {name for row in rows[2:] for name in re.findall(r"(?<![.\w])([A-Za-z_]{4,})(?=\(|`)", row)}
    methods = {"analyse", "derive", "adrs", "adtte", "ggcuminc"}  # of our values; the last is of R
    assert named - methods <= set(PUBLIC), named - methods - set(PUBLIC)
    assert len(named) > 30


@pytest.mark.parametrize("title", gallery.PICTURES)
def test_pictures_of_the_gallery_can_be_made(title):
    place = {}
    exec(compile(gallery.PREPARED, "gallery", "exec"), place)
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        exec(compile(gallery.PICTURES[title], title, "exec"), place)
        assert overlaps(place["shown"].figure) == []
    assert len(place["shown"].alt) > 10


def test_terms_of_the_glossary_are_sorted_and_said_once():
    terms = re.findall(r"^([^:#\n].*)\n: ", (DOCS / "glossary.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(terms) == len(set(terms)) > 20
    assert terms == sorted(terms, key=str.casefold)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_has_a_docstring_with_an_example(name):
    found = getattr(import_module(f"analysis.{PUBLIC[name].split('.')[0]}"), name)
    if callable(found) and hasattr(found, "__module__") and str(found.__module__).startswith("analysis"):
        assert ">>> " in (found.__doc__ or ""), PUBLIC[name]


@pytest.mark.parametrize("room", pages.ROOMS)
def test_completion_shows_public_names_alone(room):
    module = import_module(f"analysis.{room}")
    assert dir(module) == sorted(module.__all__)
