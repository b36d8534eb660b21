"""`harness docs`: pages found, listed and shown."""

from __future__ import annotations

import pytest

from harness.core.diagnostics import DiagnosticKind
from tests.cli.running import harness
from tests.docs import PAGES


def test_without_a_topic_every_page_is_listed() -> None:
    """One line a page, its name first; what only the site can build is left out."""
    result = harness("docs")
    assert (result.code, result.err) == (0, "")
    named = [line.split()[0] for line in result.out.splitlines()]
    pages = (path.relative_to(PAGES).with_suffix("") for path in PAGES.rglob("*.md"))
    left_out = {"api", "changelog"}
    assert sorted(named) == sorted({page.as_posix() for page in pages} - left_out)


@pytest.mark.parametrize(
    ("topic", "first"),
    [
        ("how-to/record", "# Record"),
        ("record", "# Record"),
        ("how-to/record.md", "# Record"),
        ("harness-record", "## harness record"),
        ("replay_iter", "### replay_iter"),
        ("call-identity", "# Which call a fragment belongs to"),
        ("Through a proxy", "## Through a proxy"),
    ],
)
def test_a_topic_is_a_page_or_a_heading(topic: str, first: str) -> None:
    """A page goes before a heading; the text ends where the next one begins."""
    result = harness("docs", topic)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == first
    level = first.partition(" ")[0]
    assert [line for line in lines[1:] if line.startswith(f"{level} ")] == []
    assert "<!--" not in result.out


@pytest.mark.parametrize("kind", DiagnosticKind)
def test_every_diagnostic_has_a_section(kind: DiagnosticKind) -> None:
    """The command that a diagnostic names shows what it is and what to do."""
    result = harness("docs", str(kind))
    assert result.out.startswith(f"### {kind}\n")
    assert "What to do: " in result.out


def test_an_unknown_topic_is_a_usage_error() -> None:
    """Near names are offered; nothing goes to standard output."""
    result = harness("docs", "malformed-argument")
    assert (result.code, result.out) == (2, "")
    assert "did you mean malformed-arguments" in result.err
    assert "`harness docs` lists them" in harness("docs", "zzzzzzzz").err


def test_on_a_terminal_a_page_is_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headings and tables are drawn; links into folders become their words."""
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setattr("harness.cli.docs._is_terminal", lambda: True)
    result = harness("docs", "words")
    assert "](" not in result.out
    assert "# Words" not in result.out
