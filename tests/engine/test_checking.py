"""What `check` has to say about a recording."""

# ruff: noqa: E501 - a case and what is said about it are read together

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette, replay
from harness.core.diagnostics import Severity
from harness.engine.check import Problem, check
from harness.errors import CassetteError, CassetteMissingError
from harness.redaction.config import Redaction
from tests.shared import corpus_files, needs_shared
from tests.unit.store.recordings import (
    CHUNK,
    LAST,
    STREAM,
    WHOLE,
    document,
    interaction,
    save,
    sse,
)
from tests.unit.store.secrets_planted import KEYS

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = len(STREAM.encode())
CUT = sse(CHUNK, done=False)


def _said(
    folder: Path, value: Any, name: str = "c.yaml"
) -> list[tuple[Any, str, bool]]:
    path = save(folder, value, name)
    problems = check(path)
    assert all(problem.path == str(path) for problem in problems)
    return [(p.exchange, p.text, p.is_note) for p in problems]


FINE: dict[str, Any] = {
    "plain": document(),
    "timed": document(
        interaction(
            stream={"version": 1, "chunks": [[0.1, 9], [0.1, LENGTH - 9]], "ended": "complete"}
        )
    ),
    "metadata": document(metadata={"by": "me"}, version=1),
    "converted": document(interaction() | {"recorded_at": "2024"}),
    "sse": STREAM,
}  # fmt: skip


@pytest.mark.parametrize("value", FINE.values(), ids=FINE)
def test_good_recording_has_nothing_to_say(tmp_path: Path, value: Any) -> None:
    """A complete recording of known fields is passed without a word."""
    assert _said(tmp_path, value) == []


PROBLEMS: dict[str, tuple[Any, Any, str]] = {
    "format": (b"interactions:\n- request: [\n", None, "line 3, column 1: the YAML does not parse"),
    "counts": (
        document(interaction(stream={"chunks": [[0.1, 3]]})),
        None,
        f"exchange 0: stream: the byte counts of its chunks add up to 3, the body has {LENGTH}",
    ),
    "times": (
        document(interaction(stream={"chunks": [[0.2, 9], [0.1, LENGTH - 9]]})),
        0,
        "wire chunk 1 came before the one before it",
    ),
    "unended": (document(interaction(CUT)), 0, "missing-finish: no finish_reason in 1 chunks"),
    "unended-but-complete": (
        document(interaction(CUT, stream={"ended": "complete"})), 0, "missing-finish: no finish_reason",
    ),
    "unreadable": (
        document(interaction("data: {]\n\n" + STREAM)), 0,
        "chunk 0, byte 0: unreadable-payload: no JSON",
    ),
    "no-object": (document(interaction(sse([1], CHUNK))), 0, "chunk 0, byte 0: unreadable-payload: JSON, but no object"),
    "after-done": (document(interaction(STREAM + sse(CHUNK))), 0, f"chunk 2, byte {LENGTH}: after-done"),
    "whole-damaged": (
        document(interaction('{"object": "chat.completion", "choices": [')), 0,
        "the answer is no complete JSON",
    ),
    "unknown-stream": (document(interaction(stream={"speed": 1})), 0, "unknown key 'response.stream.speed'"),
    "secret": (
        document(interaction(sse({**CHUNK, "user": KEYS["github"]}, LAST))), 0,
        "a secret: GitHub token in response body, byte",
    ),
    "secret-outside": (document(metadata=KEYS["github"]), None, "a secret: GitHub token in line"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "where", "text"), PROBLEMS.values(), ids=PROBLEMS.keys()
)
def test_defect_is_a_problem_with_its_place(
    tmp_path: Path, value: Any, where: int | None, text: str
) -> None:
    """Each defect is one problem that says where it is and what to do."""
    said = [p for p in _said(tmp_path, value) if not p[2]]
    assert [p[0] for p in said] == [where]
    assert said[0][1].startswith(text)
    assert "\n" not in said[0][1]


BROKEN: dict[str, tuple[Any, list[str]]] = {
    "closed": (document(interaction(CUT, stream={"ended": "closed"})), ["broken-stream"]),
    "error": (
        document(interaction(CUT + "data: {", stream={"ended": "error", "error": "ReadError"})),
        ["incomplete-event", "unreadable-payload", "broken-stream"],
    ),
    "provider-error": (document(interaction(sse({"error": {"message": "busy"}}, done=False))), ["error-event"]),
    "no-blank-line": (document(interaction(STREAM[:-1])), []),
    "cut": (document(interaction(CUT + 'data: {"id":')), ["incomplete-event", "unreadable-payload"]),
    "renamed": (
        document(interaction(sse({"choices": [{"delta": {"contents": "Hi"}}]}, LAST))), ["unread-text"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "kinds"), BROKEN.values(), ids=BROKEN)
def test_check_reports_what_a_replay_reports(
    tmp_path: Path, value: Any, kinds: list[str]
) -> None:
    """The same kinds, as problems where a client is hurt."""
    path = save(tmp_path, value)
    problems = [one for one in check(path) if not one.is_note]
    assert [one.text.rpartition(": ")[0] != "" for one in problems] == [True] * len(
        kinds
    )
    replayed = replay(load_cassette(path), "queuing").diagnostics
    assert [d.kind for d in replayed if d.kind.severity is not Severity.NOTE] == kinds
    assert [
        k for k, p in zip(kinds, problems, strict=True) if f"{k}: " in p.text
    ] == kinds


NOTES: dict[str, tuple[Any, str]] = {
    "other": (document(interaction("", status={"code": 500})), "not-replayed: HTTP 500"),
    "finish-without-done": (document(interaction(sse(CHUNK, LAST, done=False))), "missing-done: the stream ended after 2 chunks without [DONE]"),
    "unknown-fields": (
        document(interaction(sse({**CHUNK, "speed": 1}, LAST))),
        "chunk 0, byte 0: unread: speed is no known field, or of another type: 1",
    ),
    "unknown-key": (document(interaction() | {"comment": 1}), "unknown key 'comment': harness does not read it"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "text"), NOTES.values(), ids=NOTES.keys())
def test_what_is_only_worth_knowing_is_a_note(
    tmp_path: Path, value: Any, text: str
) -> None:
    """What hurts no client is a note: extensions, keys of other recorders."""
    assert _said(tmp_path, value) == [(0, text, True)]


def test_whole_completion_is_fine(tmp_path: Path) -> None:
    """A saved completion that was not streamed passes."""
    assert _said(tmp_path, WHOLE, "c.json") == []


def test_large_text_is_checked_to_its_end(tmp_path: Path) -> None:
    """Text that is not held is read through, and its last event counts."""
    text = sse(*[CHUNK] * 8000, done=False)
    assert len(text) > 1 << 20
    (_, said, is_note), _ = _said(tmp_path, text, "c.sse")
    assert said.startswith("missing-finish: no finish_reason in 8000 chunks")
    assert not is_note


def test_folder_is_checked_file_by_file(tmp_path: Path) -> None:
    """Every cassette of a folder is checked, in order; missing names are errors."""
    save(tmp_path, document(), "a.yaml")
    save(tmp_path, document(interaction(CUT)), "b.yaml")
    save(tmp_path, b"interactions:\n- request: [\n", "c.yaml")
    names = [p.path.rpartition("/")[2] for p in check(tmp_path) if not p.is_note]
    assert names == ["b.yaml", "c.yaml"]
    with pytest.raises(CassetteMissingError):
        check(tmp_path / "d.yaml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CassetteError, match="no cassettes"):
        check(tmp_path / "empty")


def test_configuration_of_redaction_counts(tmp_path: Path) -> None:
    """What a project allows is no secret to the check either."""
    path = save(tmp_path, document(metadata=KEYS["github"]))
    assert len(check(path)) == 1
    assert check(path, Redaction(allow=frozenset({KEYS["github"]}))) == []


def test_problem_prints_as_one_line() -> None:
    """A problem says file, exchange, and whether it is only a note."""
    assert str(Problem("a.yaml", 3, "text")) == "a.yaml: exchange 3: text"
    assert str(Problem("a.yaml", None, "text", is_note=True)) == "a.yaml: note: text"


@needs_shared
@pytest.mark.parametrize("every", [48, pytest.param(1, marks=pytest.mark.slow)])
def test_corpus_has_no_other_problems_than_its_servers_made(every: int) -> None:
    """Of 370 recordings of other projects few have problems, and each is a fact."""
    kinds = Counter(
        problem.text.removeprefix(problem.text.partition(": ")[0] + ": ").split(":")[0]
        if problem.text.startswith("chunk")
        else problem.text.split(":")[0]
        for path in corpus_files()[::every]
        for problem in check(path)
        if not problem.is_note
    )
    # Each twelfth of the files has a part of these; all files have exactly these.
    known = Counter(
        {
            "two-finishes": 20,
            "template-marker": 10,
            "missing-finish": 6,
            "error-event": 4,
            "changed-identity": 3,
            "stray-text": 2,
            "after-finish": 1,
        }
    )
    assert kinds <= known
    assert every > 1 or kinds == known
