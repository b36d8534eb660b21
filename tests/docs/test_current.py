"""What is generated in the README and the pages is current, and links hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.cli.running import harness
from tests.docs import DOCUMENTS, PAGES, ROOT
from tests.docs.pictures import TERMINALS, shown_in
from tests.docs.tables import with_tables

_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.stem))
def test_generated_blocks_are_current(page: Path) -> None:
    """Options, settings, diagnostics, rules and names are those of the code."""
    text = page.read_text("utf-8")
    assert with_tables(text) == text, "run `python -m tests.docs`"


@pytest.mark.parametrize(
    "page",
    [*DOCUMENTS, *sorted((ROOT / ".github").glob("*.md")), ROOT / "tests/README.md"],
    ids=lambda page: str(page.stem),
)
def test_links_lead_somewhere(page: Path) -> None:
    """Each link names a file of the repository, and a heading that is in it."""
    broken = []
    for target, anchor in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_page_is_on_the_site() -> None:
    """The navigation of the site names each page once."""
    text = (ROOT / "docs" / "mkdocs.yml").read_text("utf-8")
    nav = yaml.safe_load(text[text.index("\nnav:") :])["nav"]
    named = sorted(re.findall(r"[\w/-]+\.md", str(nav)))
    assert named == sorted(p.relative_to(PAGES).as_posix() for p in PAGES.rglob("*.md"))


@pytest.mark.parametrize("name", TERMINALS)
def test_picture_shows_what_is_printed(name: str) -> None:
    """The terminals on the pages hold what their commands print today."""
    expected = "".join(TERMINALS[name][0]().plain.split())
    assert expected in shown_in(PAGES / "img" / name), "run `python -m tests.docs`"


def test_topics_named_in_the_code_are_there() -> None:
    """Each `harness docs TOPIC` that a module or page names shows something."""
    modules = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "harness").rglob("*.txt")]
    named = {
        topic
        for path in [*modules, *DOCUMENTS]
        for topic in re.findall(r"`harness docs ([a-z-]+)`", path.read_text("utf-8"))
    }
    assert {"call-identity", "argument-machine", "cassette"} <= named
    assert [topic for topic in named if harness("docs", topic).code] == []


def test_nothing_cites_a_page_that_a_clone_lacks() -> None:
    """A page that is cited by name is in the repository."""
    cited = {
        (path.name, name)
        for path in (ROOT / "harness").rglob("*.py")
        for name in re.findall(r"[\w./-]+\.md\b", path.read_text("utf-8"))
    }
    folders = [one for one in ROOT.iterdir() if not one.name.startswith(".venv")]
    pages = {path.name for one in folders for path in one.rglob("*.md")}
    pages |= {path.name for path in ROOT.glob("*.md")}
    assert sorted(one for one in cited if Path(one[1]).name not in pages) == []
