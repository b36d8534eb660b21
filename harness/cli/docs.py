"""`harness docs`: the documentation in a terminal."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import NamedTuple

import click

from harness.cli.console import Exit, has_escapes, use_colour
from harness.errors import UsageError

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "pages", _PACKAGE.parent / "docs" / "pages")
"""Where a wheel has the pages, and where a checkout has them."""
_ONLY_ON_THE_SITE = {"api.md", "changelog.md"}  # made of other files when it is built

_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WIDTH = 100


class _Section(NamedTuple):
    page: str
    """The page's path without its ending, such as `how-to/record`."""
    anchor: str
    """The heading's words joined by `-`, as the site's links have it."""
    title: str
    level: int
    start: int
    end: int


@click.command("docs")
@click.argument("topic", required=False, metavar="[TOPIC]")
def command(topic: str | None) -> int:
    """Show a page of the documentation; without TOPIC, list the pages.

    TOPIC is a page's name, or a heading in one, such as a kind of diagnostic, a
    command or a name of the Python API. On a terminal the page is formatted, else it
    is printed as Markdown.

    \b
    Examples:
      harness docs
      harness docs record
      harness docs malformed-arguments
      harness docs first-bug | less
    """
    pages = _pages()
    sections = [one for page, text in pages.items() for one in _sections(page, text)]
    if topic is None:
        for one in sections:
            if one.level == 1:
                click.echo(f"{one.page:<31} {one.title}")
        return Exit.DONE
    found = _found(topic, sections)
    _show(pages[found.page][found.start : found.end])
    return Exit.DONE


def topics() -> list[tuple[str, str]]:
    """Return the name and the title of every page, for the shell's completion."""
    first = (_sections(page, text)[0] for page, text in _pages().items())
    return [(one.page.rpartition("/")[2], one.title) for one in first]


def _pages() -> dict[str, str]:
    folder = next((place for place in _PLACES if place.is_dir()), None)
    if folder is None:
        raise UsageError(
            "this installation has no documentation pages; install a wheel, or run "
            "harness from its checkout"
        )
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*.md"))
        if path.name not in _ONLY_ON_THE_SITE
    }


def _sections(page: str, text: str) -> list[_Section]:
    """Return the headings of a page, each with the text that belongs to it."""
    outside = _FENCED.sub(lambda block: " " * len(block[0]), text)
    headings = list(_HEADING.finditer(outside))
    sections = []
    for number, heading in enumerate(headings):
        level = len(heading[1])
        behind = headings[number + 1 :]
        end = next((one.start() for one in behind if len(one[1]) <= level), len(text))
        anchor = re.sub(r"[^\w\s-]", "", heading[2].lower()).replace(" ", "-")
        sections.append(_Section(page, anchor, heading[2], level, heading.start(), end))
    return sections


def _found(topic: str, sections: list[_Section]) -> _Section:
    """Return what a topic names: a page, else a heading, else a page's last word."""
    wanted = topic.lower().removesuffix(".md").strip("/").replace(" ", "-")
    names: dict[str, _Section] = {}
    for one in sections:
        if one.level == 1:
            names.setdefault(one.page, one)
            names.setdefault(one.page.rpartition("/")[2], one)
    for one in sections:
        names.setdefault(one.anchor, one)
        names.setdefault(one.anchor.removeprefix("harness-"), one)
    if wanted in names:
        return names[wanted]
    near = (
        difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        or [name for name in names if wanted in name][:3]
    )
    hint = f"did you mean {', '.join(near)}?" if near else "`harness docs` lists them"
    raise UsageError(f"there is no page or heading {topic!r}; {hint}")


def _show(text: str) -> None:
    text = _COMMENT.sub("", text).strip()
    if not _is_terminal():
        click.echo(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    colour = use_colour(stream_is_terminal=True)
    console = Console(no_color=not colour)
    console = Console(no_color=not colour, width=min(console.width, _WIDTH))
    # A terminal cannot follow a link into a folder: its words are enough.
    with console.pager(styles=colour):
        console.print(Markdown(_LINK.sub(r"\1", text)))


def _is_terminal() -> bool:
    return has_escapes(sys.stdout)
