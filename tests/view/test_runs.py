"""The default view of a transcript: rows of runs, at two widths, in every form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

import harness as package
from harness.cli.runs import next_steps
from harness.core.diagnostics import DiagnosticKind
from harness.engine.default_view import view, view_lines
from harness.engine.emission_runs import runs
from harness.engine.excerpt import Excerpt
from harness.engine.transcript import Diagnostic
from tests.cli.running import harness
from tests.engine.made import (
    cassette,
    chunk,
    exchange,
    finish,
    sse,
    text,
    user,
)

if TYPE_CHECKING:
    from harness.engine.transcript import Transcript

SCREENS = Path(__file__).parent / "screens"
SHOWN = {
    "three-steps": ("cassettes/llama-server/three-steps.yaml",),
    "server-dies": ("cassettes/llama-cpp-python/server-dies.yaml",),
    "broken-arguments": (
        *("tests/data/broken-arguments.sse", "--interface", "both"),
        *("--split", "chars"),
    ),
}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", SHOWN)
def test_screens_are_as_they_were_looked_at(name: str, columns: int) -> None:
    """What `harness replay` shows on a terminal of 80 and of 120 columns."""
    place = SCREENS / f"runs-{name}-{columns}.txt"
    result = harness(
        "replay", *SHOWN[name], "--rows", "run", environment={"COLUMNS": str(columns)}
    )
    assert result.code == 0
    assert result.out == place.read_text("utf-8")


@pytest.mark.parametrize(
    ("chunk", "shown", "option"),
    [(0, 5, "--around 0"), (None, 5, "--around 5"), (None, None, "--rows chunk")],
)
def test_the_first_place_is_what_to_look_at_next(
    chunk: int | None, shown: int | None, option: str
) -> None:
    """Chunk 0 is one; a diagnostic without a chunk has its excerpt's."""
    excerpt = None if shown is None else Excerpt("x", "", "", 0, 0, "", shown)
    kind = DiagnosticKind.UNREAD_TEXT
    found = [Diagnostic(kind, 0, "x", chunk=chunk, excerpt=excerpt)]
    assert option in next_steps("a.yaml", "queuing", found)[0]


def test_a_pipe_gets_the_table_of_chunks() -> None:
    """Elsewhere than on a terminal a row is an emission, as --rows chunk prints it."""
    path = SHOWN["three-steps"][0]
    plain = harness("replay", path)
    assert plain.out == harness("replay", path, "--rows", "chunk").out
    assert "exch  chunk" in plain.out


def test_emissions_of_a_kind_are_one_row_and_nothing_is_lost() -> None:
    """The texts of the runs are the texts of the emissions, cut otherwise or not."""
    path = SHOWN["three-steps"][0]
    recorded = runs(package.replay(path).emissions)
    cut = runs(package.replay(path, split="chars").emissions)
    assert [(r.exchange, r.kind, r.text) for r in recorded] == [
        (r.exchange, r.kind, r.text) for r in cut
    ]
    assert 'get_weather({"city": "Rome"})' in [run.text for run in recorded]


def _with(*contents: str) -> Transcript:
    body = sse(chunk({"role": "assistant"}), *map(text, contents), finish())
    return package.replay(cassette(exchange(body, [user("Why?")])))


@settings(max_examples=60)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.integers(40, 160))
def test_lines_fit_and_keep_every_character(texts: list[str], columns: int) -> None:
    """No line is wider than asked for, and no visible character of the text is lost."""
    shown = view(_with(*texts), width=columns)
    lines = shown.split("\n")
    assert all(cell_len(line) <= columns for line in lines[1:])
    kept = re.sub(r"\s", "", shown)
    for letter in "".join(texts):
        if letter.isalnum():
            assert letter in kept


def test_reasoning_is_counted_and_a_finding_stands_once() -> None:
    """Reasoning that is not passed on has a row; findings of a kind are folded."""
    body = sse(chunk({"reasoning_content": "Hm. " * 600}), text("Hi"))
    made = package.replay(cassette(exchange(body, [user("Why?")])))
    shown = view(made, width=80)
    assert "2 400 characters of reasoning: --reasoning" in shown
    assert '-- 0  "Why?"' in shown
    assert [line.style for line in view_lines(made)].count("finding") == 1


def test_an_exchange_that_is_not_replayed_has_a_heading_and_its_finding() -> None:
    """There is neither a time nor an answer to say anything about."""
    made = package.replay(cassette(exchange(sse(text("Hi"), finish())), exchange("?")))
    shown = view(made, width=80).splitlines()
    assert shown[shown.index("-- 1") + 1] == " x not-replayed "


def test_what_no_message_carries_is_shown_or_counted() -> None:
    """A refusal once, in whole; images and citations by kind."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    made = cassette(
        exchange(
            sse(
                chunk({"refusal": "I ca"}),
                chunk({"refusal": "nnot."}),
                chunk({"images": [image, image]}),
                chunk({"annotations": [{"type": "url_citation"}]}),
                finish(),
            ),
            [user("x")],
        )
    )
    shown = view(package.replay(made), width=80).splitlines()
    assert "   refusal I cannot." in shown
    assert "   besides: image x2, annotation; see harness show" in shown
    through = package.replay(made, mode="chat-completion")
    lines = view(through, width=80).splitlines()
    assert sum("cannot." in line for line in lines) == 1


def test_a_transcript_shows_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """One line as repr; the view in a notebook, in rich and by show()."""
    made = package.replay(SHOWN["three-steps"][0])
    assert repr(made) == (
        "<Transcript cassettes/llama-server/three-steps.yaml streaming: 3 exchanges, "
        "43 chunks, 45 emissions, no findings>"
    )
    made.show(width=100)
    assert capsys.readouterr().out == view(made, width=100) + "\n"
    assert "get_weather({&quot;city&quot;" in made._repr_html_()
    console = Console(width=100, record=True, file=None)
    with console.capture() as got:
        console.print(made)
    assert 'get_weather({"city": "Rome"})' in got.get()


def test_text_and_calls_are_the_answer() -> None:
    """`.text` joins the visible texts, `.calls` all tool calls, in order."""
    made = package.replay(SHOWN["three-steps"][0])
    assert made.text == "I have told you the weather in Rome."
    assert [call.name for call in made.calls] == ["get_weather", "send_message"]


def test_every_parameter_is_documented_where_it_is() -> None:
    """No docstring of the package sends its reader elsewhere."""
    root = Path(package.__file__ or "").parent
    sending = [p for p in root.rglob("*.py") if "See there." in p.read_text("utf-8")]
    assert sending == []
