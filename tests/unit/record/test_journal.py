"""The journal: what it looks like, who may take it, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cassettes.encode import interaction_of
from harness.cassettes.interactions import exchanges_of
from harness.cassettes.journal import Journal, claim_left_over
from harness.cassettes.journal_text import (
    is_journal,
    journal_head,
    journal_line,
    journal_name,
    parse_journal,
)
from harness.cassettes.library import find_cassettes
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Ending, Exchange, Request, Response, WireChunk
from harness.engine.check import check
from harness.errors import CassetteCorruptError
from harness.record.exchange import LiveRequest
from tests.cli.running import harness
from tests.unit.record.journals import (
    crashed,
    left_in,
    names_in,
    no_warning,
    opened,
    record,
)
from tests.unit.record.test_writing import cassettes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")


@pytest.mark.slow
@given(exchanges=cassettes)
def test_journal_gives_back_what_was_appended(exchanges: list[Exchange]) -> None:
    """Any exchange, and any journal cut anywhere: a prefix of it, never an error."""
    text = journal_head("c.yaml", "all")
    ends = [len(text)]
    for order, exchange in enumerate(exchanges):
        text += journal_line({"order": order, "interaction": interaction_of(exchange)})
        ends.append(len(text))
    for cut in {*ends, *range(0, len(text), 1 + len(text) // 15)}:
        found = parse_journal(text[:cut], "-")
        whole = sum(end <= cut for end in ends) - 1
        assert found.torn == cut - max([0, *(e for e in ends if e <= cut)])
        if whole > 0:
            document = {"interactions": found.interactions, "version": 1}
            assert exchanges_of(document, "-") == exchanges[:whole]
        else:
            assert not found.interactions


@given(st.lists(st.tuples(st.integers(0, 4), st.text())))
def test_later_line_for_a_place_replaces_the_earlier(
    lines: list[tuple[int, str]],
) -> None:
    """What is found is the last of each place, in the order of places."""
    text = journal_head("c", "all") + b"".join(
        journal_line({"order": order, "interaction": {"x": value}})
        for order, value in lines
    )
    expected = [{"x": value} for _, value in sorted(dict(lines).items())]
    assert parse_journal(text, "-").interactions == expected


def test_damaged_line_is_named() -> None:
    """A line in the middle that is no record is no torn end."""
    text = journal_head("c", "all") + b"{\n" + journal_line({"folded": "0"})
    with pytest.raises(CassetteCorruptError, match="line 2: the journal is damaged"):
        parse_journal(text, "-")


@pytest.mark.parametrize("name", ["c.yaml", "a.1-b.yaml", "x y.json", ".c"])
def test_name_is_hidden_and_of_one_cassette(tmp_path: Path, name: str) -> None:
    """No search takes it for a cassette, and it belongs to one of them."""
    journal = journal_name(name, "12-0a1b2c3d")
    assert journal.startswith(".")
    assert is_journal(journal, name)
    assert is_journal(f"/x/{journal}")
    assert not is_journal(journal, "other.yaml")
    assert not is_journal(f"{journal}.yaml")
    assert not is_journal(name)


def test_exchange_is_on_the_disk_before_its_end_is_passed_on(tmp_path: Path) -> None:
    """When `complete` returns it is there; so are streams that broke or were left."""
    path = tmp_path / "c.yaml"
    session = opened(path)
    endings: list[tuple[str, Callable[[Any], None]]] = [
        ("complete", lambda recorder: recorder.complete()),
        ("closed", lambda recorder: recorder.closed()),
        ("error", lambda recorder: recorder.broke("ReadError", "gone")),
    ]
    for number, (_, end) in enumerate(endings):
        live = session.answer(Request("GET", f"http://h/{number}"))
        assert isinstance(live, LiveRequest)
        recorder = live.responded(Response(200, "", {}))
        recorder.piece(b"one")
        end(recorder)
        (journal,) = left_in(tmp_path)
        exchanges = load_cassette(journal).exchanges
        found = [e.response.ended.kind for e in exchanges if e.response.ended]
        assert found == [kind for kind, _ in endings[: number + 1]]
    (journal,) = left_in(tmp_path)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert not path.exists()
    session.close()
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_piece_that_completes_a_body_is_written_down_before_it_is_passed_on(
    tmp_path: Path,
) -> None:
    """A client may take the last byte for the end; what comes after all counts, too."""
    session = opened(tmp_path / "c.yaml")
    sized = {"content-length": ["4"]}
    stream = {"content-type": ["text/event-stream"]}
    for headers, first, last, more in [
        (sized, b"ab", b"cd", b""),
        (stream, b"data: [DO", b"NE]\n\n", b": more\n\n"),
    ]:
        live = session.answer(Request("GET", "http://h/"))
        assert isinstance(live, LiveRequest)
        recorder = live.responded(Response(200, "", headers))
        before = sum(map(_lines, left_in(tmp_path)))
        recorder.piece(first)
        assert sum(map(_lines, left_in(tmp_path))) == before
        recorder.piece(last)
        (journal,) = left_in(tmp_path)
        written = _lines(journal)
        assert written > before
        recorder.piece(more)
        recorder.complete()
        assert _lines(journal) == written + bool(more)  # again only if it was not all
        exchange = load_cassette(journal).exchanges[-1]
        assert exchange.response.body == first + last + more
        assert exchange.response.ended == Ending("complete")
    session.close()
    assert len(load_cassette(tmp_path / "c.yaml").exchanges) == 2


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def test_playing_writes_nothing(tmp_path: Path) -> None:
    """Nor does it touch what a killed recording has left."""
    path = tmp_path / "c.yaml"
    session = opened(path)
    record(session, "a")
    session.close()
    crashed(path, "b")
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    for mode in ("none", "once", "new_episodes"):
        session = opened(path, mode)
        assert session.answer(Request("POST", "http://h/a", {}, b'{"a": 1}'))
        session.close()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("mode", ["all", "once", "new_episodes"])
def test_next_recording_takes_in_what_killed_ones_left(
    tmp_path: Path, mode: str
) -> None:
    """The oldest first; what is recorded again replaces it; the user is told."""
    path = tmp_path / "c.yaml"
    crashed(path, "a", "b")
    crashed(path, "c", "d")
    notes: list[str] = []
    session = opened(path, mode, warn=notes.append)
    record(session, "e", "b")
    session.close()
    assert names_in(path) == ["a", "c", "d", "e", "b"]
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]
    assert [note.partition(" (journal")[0] for note in notes] == [
        f"{path}: took in 2 exchanges of a recording that did not end"
    ] * 2


def test_what_a_rewrite_left_is_kept_apart(tmp_path: Path) -> None:
    """Neither does a rewrite take in what others left: it replaces all."""
    path = tmp_path / "c.yaml"
    for left, mode in [("rewrite", "all"), ("all", "rewrite")]:
        crashed(path, "a", mode=left)
        notes: list[str] = []
        session = opened(path, mode, warn=notes.append)
        record(session, "b")
        session.close()
        assert names_in(path) == ["b"]
        partial = tmp_path / "c.yaml.partial"
        assert names_in(partial) == ["a"]
        (note,) = notes
        assert note == (
            f"{path}: 1 exchange of a recording that did not end is in {partial} "
            "and not in this cassette"
        )
        partial.unlink()
        assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_journal_in_use_is_not_taken(tmp_path: Path) -> None:
    """Neither this process's nor one that another process has locked."""
    path = tmp_path / "c.yaml"
    session = opened(path)
    record(session, "a")
    assert claim_left_over(str(path), no_warning) == []
    left = crashed(path, "b")
    descriptor = os.open(left, os.O_RDWR)
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert claim_left_over(str(path), no_warning) == []
    os.close(descriptor)
    (found,) = claim_left_over(str(path), no_warning)
    assert claim_left_over(str(path), no_warning) == []  # one at a time
    session.close()
    assert names_in(path) == ["a"]
    found.release()


def test_without_locks_the_process_is_asked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fallback: a journal of a live process stays, one of a dead one is taken."""
    path = tmp_path / "c.yaml"
    left = crashed(path, "a")
    living = left.with_name(journal_name("c.yaml", f"{os.getppid()}-0a"))
    monkeypatch.setattr("harness.cassettes.journal.try_lock", lambda _: None)
    left.rename(living)
    assert claim_left_over(str(path), no_warning) == []
    living.rename(left)  # of this process's id, which is not one of ours: earlier
    (found,) = claim_left_over(str(path), no_warning)
    found.release()


def test_folded_journal_is_not_folded_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between replacing the cassette and removing its journal."""
    path = tmp_path / "c.yaml"
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "discard", Journal.close)
        session = opened(path)
        record(session, "a")
        session.close()
    (journal,) = left_in(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert parse_journal(journal.read_bytes(), "-").folded == {digest}
    session = opened(path)
    record(session, "b")
    session.close()
    assert names_in(path) == ["a", "b"]
    assert left_in(tmp_path) == []


def test_torn_line_is_dropped_and_damage_is_left_alone(tmp_path: Path) -> None:
    """Half a line is of a client that saw no end; damage elsewhere is for a person."""
    path = tmp_path / "c.yaml"
    left = crashed(path, "a", "b")
    text = left.read_bytes()
    left.write_bytes(text[:-5])
    notes: list[str] = []
    session = opened(path, warn=notes.append)
    record(session, "c")
    session.close()
    assert names_in(path) == ["a", "c"]
    assert len(notes) == 1
    left.write_bytes(text.replace(b'{"order":0', b'{"or\n', 1))
    session = opened(path, warn=notes.append)
    record(session, "d")
    session.close()
    assert names_in(path) == ["a", "c", "d"]
    assert left.exists()
    assert "line 2: the journal is damaged" in notes[1]


def test_check_and_scan_of_a_folder_find_what_is_left(tmp_path: Path) -> None:
    """`check` says what to do, `scan` looks for secrets, `ls` takes it for nothing."""
    path = tmp_path / "c.yaml"
    session = opened(path)
    record(session, "a")
    session.close()
    left = crashed(path, "b")
    assert find_cassettes(tmp_path) == [str(path)]
    problems = [p for p in check(tmp_path) if p.path == str(left) and not p.is_note]
    assert any("the next recording to that cassette" in p.text for p in problems)
    assert str(left) in harness("check", str(tmp_path)).out
    assert left.name not in harness("ls", str(tmp_path)).out
    assert "http://h/b" in harness("show", str(left)).out
    key = b"ghp_" + b"Ab3De6Gh9Jk2Mn5Pq8St1Vw4Yz7Bc0Ef3Hi6"
    left.write_bytes(left.read_bytes().replace(b"http://h/b", b"http://h/" + key))
    for place in (tmp_path, left):
        result = harness("scan", str(place))
        assert result.code == 1
        assert "GitHub token" in result.out
        assert key.decode() not in result.out


def test_check_of_a_journal_in_use_is_a_note(tmp_path: Path) -> None:
    """A recording that is going on is no problem; an empty journal is nothing."""
    session = opened(tmp_path / "c.yaml")
    record(session, "a")
    (problem, *_) = check(tmp_path)
    assert problem.is_note
    assert "going on" in problem.text
    session.close()
    (tmp_path / journal_name("d.yaml", "1-0a")).touch()
    assert len(find_cassettes(tmp_path, with_journals=True)) == 1


@pytest.mark.filterwarnings(
    # Python 3.15 counts the thread of pytest-xdist, which holds no lock.
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)
def test_forked_process_has_a_journal_of_its_own(tmp_path: Path) -> None:
    """It neither writes to its parent's nor removes it."""
    path = tmp_path / "c.yaml"
    notes: list[str] = []
    session = opened(path, warn=notes.append)
    record(session, "a")
    parents = left_in(tmp_path)
    child = os.fork()
    if not child:
        try:
            record(session, "b")
            session.cassette.close(is_kept=False)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    (left,) = set(left_in(tmp_path)) - set(parents)
    assert names_in(left) == ["b"]
    assert [names_in(each) for each in parents] == [["a"]]
    assert len(notes) == 0
    session.close()
    assert names_in(path) == ["b", "a"]
    assert len(notes) == 1


def test_stored_bytes_survive_the_journal(tmp_path: Path) -> None:
    """Bodies that are no text, in both formats of cassettes."""
    exchange = Exchange(
        0,
        Request("POST", "http://h/", {}, b"\xff\x00"),
        Response(200, "", {}, b"\xfe", [WireChunk(0.5, 1)], Ending("complete")),
    )
    line = journal_line({"order": 0, "interaction": interaction_of(exchange)})
    assert json.loads(line)
    left = tmp_path / journal_name("c.yaml", "1-0a")
    left.write_bytes(journal_head("c.yaml", "all") + line)
    assert load_cassette(left).exchanges == [exchange]
