"""The transcript extension: what it stores, how it tells a difference, what fails."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from syrupy.filters import props
from syrupy.matchers import path_type

from harness import Diagnostic, Emission, Transcript, UsageError
from harness.engine.transcript import DiagnosticKind
from harness.snapshots import TranscriptSnapshotExtension, snapshot_text

STORED = TranscriptSnapshotExtension()


def transcript(*messages: object, ids: str = "abc") -> Transcript:
    """Make a transcript of texts by two speakers, ids taken in turn."""
    made = Transcript("some/path.yaml", "streaming")
    for number, message in enumerate(messages):
        fields = {"id": ids[number % 2], "date": "2026-01-01T00:00:00+00:00"}
        body = message if number % 3 == 2 else fields | {"text": message}
        made.emissions.append(Emission(0, number, number / 4, body))
    return made


def read(text: str) -> list[dict[str, Any]]:
    """Read the stored form with nothing but `json`."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def difference(old: Transcript, new: Transcript) -> list[str]:
    """Return what a mismatch shows, colours taken off."""
    lines = STORED.diff_lines(snapshot_text(new), snapshot_text(old))
    return [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines]


def test_the_stored_form_is_json_with_an_emission_a_line() -> None:
    """Shared fields stand once, what was said stands where it was said."""
    made = transcript("Hé", 'l"o', "[DONE]", "x")
    made.diagnostics.append(Diagnostic(DiagnosticKind.MISSING_DONE, 0, "it stopped"))
    assert snapshot_text(made) == (
        '{"version": 1, "interface": "streaming"}\n'
        '{"stamp": 0, "id": "a", "date": "2026-01-01T00:00:00+00:00"}\n'
        '{"exchange": 0, "chunk": 0, "at": 0.0, "stamp": 0, '
        '"message": {"text": "Hé"}}\n'
        '{"stamp": 1, "id": "b", "date": "2026-01-01T00:00:00+00:00"}\n'
        '{"exchange": 0, "chunk": 1, "at": 0.25, "stamp": 1, '
        '"message": {"text": "l\\"o"}}\n'
        '{"exchange": 0, "chunk": 2, "at": 0.5, "message": "[DONE]"}\n'
        '{"exchange": 0, "chunk": 3, "at": 0.75, "stamp": 1, '
        '"message": {"text": "x"}}\n'
        '{"diagnostic": '
        '{"kind": "missing-done", "exchange": 0}}\n'
    )
    assert [line.get("message") for line in read(snapshot_text(made))][1:] == [
        *(None, {"text": "Hé"}, None, {"text": 'l"o'}, "[DONE]", {"text": "x"}, None)
    ]


def test_an_empty_transcript_has_a_stored_form() -> None:
    """Nothing emitted is stored as the head alone."""
    stored = read(snapshot_text(Transcript("c", "queuing")))
    assert stored == [{"version": 1, "interface": "queuing"}]


@pytest.mark.parametrize(
    "said",
    ["\x00\x7f\x85\r\n", "\u2028\u2029\u202e\ufeff", "\ud83d", "\U000e0001", "\xa0 "],
)
def test_what_does_not_show_is_escaped(said: str) -> None:
    """A reviewer sees every character, and the file can always be written."""
    text = snapshot_text(transcript(said))
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.encode().decode() == text
    assert read(text)[2]["message"] == {"text": said}


def test_the_path_of_the_cassette_is_not_stored() -> None:
    """The same cassette in another folder has the same snapshot."""
    made = transcript("x")
    moved = Transcript("else/where.yaml", made.interface, made.emissions)
    assert snapshot_text(moved) == snapshot_text(made)


def test_random_ids_can_be_left_out() -> None:
    """Filters of syrupy take the volatile fields of a user's own interface out."""
    first = snapshot_text(transcript("x", "y"), exclude=props("id", "date"))
    assert first == snapshot_text(
        transcript("x", "y", ids="pq"), exclude=props("id", "date")
    )
    assert [line.get("stamp") for line in read(first)] == [None, None, None]


def test_a_matcher_and_an_include_filter_apply() -> None:
    """They see the same paths as in syrupy's own extensions."""
    matcher = path_type({r"emissions\..*\.at": (float,)}, regex=True)
    stored = read(snapshot_text(transcript("x"), matcher=matcher))
    assert stored[2]["at"] == "float"
    kept = read(
        snapshot_text(
            transcript("x"),
            include=lambda *, prop, path: prop not in {"at", "diagnostics"},
        )
    )
    assert list(kept[2]) == ["exchange", "chunk", "stamp", "message"]


def test_something_else_is_refused() -> None:
    """A clear error, and not the snapshot of a repr."""
    with pytest.raises(UsageError, match="holds a Transcript, got list"):
        STORED.serialize([])


def test_a_difference_shows_the_changed_emission_alone() -> None:
    """The place first, then both versions with a mark at the first difference."""
    old = transcript(*"abcdefgh")
    new = transcript(*"abcdXfgh")
    assert difference(old, new) == [
        "8 emissions, stored are 8; first difference at exchange 0, chunk 4",
        "@@ line 6",
        '  {"exchange": 0, "chunk": 2, "at": 0.5, "message": "c"}',
        (
            '  {"exchange": 0, "chunk": 3, "at": 0.75, "stamp": 1, "message": '
            '{"text": "d"}}'
        ),
        (
            '- {"exchange": 0, "chunk": 4, "at": 1.0, "stamp": 0, "message": '
            '{"text": "e"}}'
        ),
        (
            '+ {"exchange": 0, "chunk": 4, "at": 1.0, "stamp": 0, "message": '
            '{"text": "X"}}'
        ),
        " " * 74 + "^ from here on",
        '  {"exchange": 0, "chunk": 5, "at": 1.25, "message": "f"}',
        (
            '  {"exchange": 0, "chunk": 6, "at": 1.5, "stamp": 0, "message": '
            '{"text": "g"}}'
        ),
    ]


def test_the_difference_of_long_lines_is_cut_to_where_they_differ() -> None:
    """The mark stands below the first different character, the rest is left out."""
    old, new = transcript("a" * 500 + "b" * 500), transcript("a" * 500 + "c" * 500)
    minus, plus, mark = difference(old, new)[-3:]
    place = mark.index("^")
    assert (minus[place], plus[place]) == ("b", "c")
    assert minus[place - 1] == plus[place - 1] == "a"
    assert max(len(minus), len(plus)) < 180


def test_missing_and_added_emissions_are_whole_lines() -> None:
    """What is not there has no other version to be compared with."""
    few, many = transcript("a", "b"), transcript("a", "b", "c", "d")
    assert difference(few, many)[0].startswith("4 emissions, stored are 2; first")
    added = [line for line in difference(few, many) if line.startswith("+")]
    assert [line[:33] for line in added] == [
        '+ {"exchange": 0, "chunk": 2, "at',
        '+ {"exchange": 0, "chunk": 3, "at',
    ]


_TEST_FILE = """
import pytest
from harness import Emission, Transcript
from harness.snapshots import TranscriptSnapshotExtension

@pytest.mark.parametrize("name", {names!r})
def test_replayed(name, snapshot):
    made = Transcript("c.yaml", "streaming", [Emission(0, 0, 0.5, {said!r})])
    assert made == snapshot.use_extension(TranscriptSnapshotExtension)
"""


def run(
    pytester: pytest.Pytester, *options: str, said: str, names: list[str]
) -> pytest.RunResult:
    """Run a suite of snapshots in a process of its own folder."""
    pytester.makepyfile(test_it=_TEST_FILE.format(names=names, said=said))
    return pytester.runpytest_inprocess(
        "--disable-plugin-autoload", "-p", "syrupy", *options
    )


def test_a_snapshot_is_stored_compared_and_missed(pytester: pytest.Pytester) -> None:
    """The way of a snapshot: created, matched, then changed and told in the report."""
    missing = run(pytester, said="Hello", names=["one"])
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*does not exist!", "*1 emissions, none are stored"])
    made = run(pytester, "--snapshot-update", said="Hello", names=["one"])
    assert made.ret == 0
    stored = pytester.path / "__snapshots__/test_it/test_replayed[one].jsonl"
    assert b"\r" not in stored.read_bytes()
    assert "Hello" in stored.read_text(encoding="utf-8")
    assert run(pytester, said="Hello", names=["one"]).ret == 0
    changed = run(pytester, said="Hullo", names=["one"])
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(
        [
            "*1 emissions, stored are 1; first difference at exchange 0, chunk 0*",
            '*- {"exchange": 0, "chunk": 0, "at": 0.5, "message": "Hello"}*',
            '*+ {"exchange": 0, "chunk": 0, "at": 0.5, "message": "Hullo"}*',
        ]
    )


def test_an_unused_snapshot_fails_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its cassette is gone, a snapshot is an error until it is removed."""
    # Where this runs under xdist, the run inside must not take itself for a worker.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert run(pytester, "--snapshot-update", said="x", names=["one", "two"]).ret == 0
    left = run(pytester, said="x", names=["one"])
    left.assert_outcomes(passed=1)
    assert left.ret == 1
    left.stdout.fnmatch_lines(["*1 snapshot unused*"])
    assert run(pytester, "--snapshot-update", said="x", names=["one"]).ret == 0
    folder = pytester.path / "__snapshots__/test_it"
    assert [path.name for path in folder.iterdir()] == ["test_replayed[one].jsonl"]
