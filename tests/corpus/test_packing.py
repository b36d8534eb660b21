"""`harness corpus`: packing, unpacking, looking into a data set."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.corpus import packing
from harness.corpus.opening import Corpus
from harness.corpus.packing import PackJob, cassette_bytes, iter_streams, pack, sample
from harness.corpus.stream_rows import Stream, content_id, encode_row
from tests.cli.running import harness
from tests.corpus.folders import TEXT, all_forms
from tests.corpus.jobs import Here

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pyarrow", reason="data sets need pyarrow")


def streams_of(path: Path) -> list[Stream]:
    """Return the streams of a corpus; nothing may be unreadable."""

    def fail(error: Exception) -> None:
        raise error

    return list(iter_streams(Corpus(str(path)), fail))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_form_is_packed_once(tmp_path: Path) -> None:
    """Plain, compressed and archived recordings are packed, what is the same once."""
    source = all_forms(tmp_path / "in")
    readings = source / "__drift__/a-text.yaml"
    readings.mkdir(parents=True)
    (readings / "streaming.jsonl").write_text('{"version": 1}\n', encoding="utf-8")
    report = pack([str(source)], str(tmp_path / "out"), Here)
    assert (report.streams, report.duplicates, report.problems) == (5, 1, [])
    # notes.md by its name, f.json by what it holds, the reading by its folder
    assert report.passed_over == 3
    assert [s.labels.source for s in streams_of(tmp_path / "out")] == [
        "a-text.yaml#0",
        "b-turns.yaml.gz#0",
        "b-turns.yaml.gz#1",
        "c.zip!in/broken.yaml#0",
        "e.sse#0",
    ]


def test_unpacked_and_packed_again_is_the_same(tmp_path: Path) -> None:
    """A round trip keeps every stream: its bytes, its chunks, its ending, its id."""
    pack([str(all_forms(tmp_path / "in"))], str(tmp_path / "one"), Here)
    result = harness(
        "corpus", "unpack", str(tmp_path / "one"), "-o", str(tmp_path / "cassettes")
    )
    assert (result.code, result.err) == (0, "5 cassettes written\n")
    pack([str(tmp_path / "cassettes")], str(tmp_path / "two"), Here)
    one = {s.id: s.exchange for s in streams_of(tmp_path / "one")}
    two = {s.id: s.exchange for s in streams_of(tmp_path / "two")}
    assert one == two
    assert any(each.response.wire and each.response.ended for each in one.values())


def test_a_stream_survives_its_own_encoding(tmp_path: Path) -> None:
    """What goes to a worker is what was read."""
    for stream in streams_of(all_forms(tmp_path / "in")):
        stream.exchange.index = 0
        assert Stream.decode(encode_row(stream.to_row())) == stream


def test_packing_redacts(tmp_path: Path) -> None:
    """A key in a body is not in the data set, and what is unpacked holds none."""
    secret = "sk-" + "proj-" + "Zx9" * 16
    (tmp_path / "in").mkdir()
    text = TEXT.read_text("utf-8").replace("rainbow", secret, 1)
    (tmp_path / "in" / "leak.yaml").write_text(text, encoding="utf-8")
    assert secret.encode() in encode_row(streams_of(tmp_path / "in")[0].to_row())
    pack([str(tmp_path / "in")], str(tmp_path / "out"), Here)
    [stream] = streams_of(tmp_path / "out")
    assert secret.encode() not in encode_row(stream.to_row())
    assert secret.encode() not in cassette_bytes(stream)
    assert stream.id == content_id(stream.exchange)


@pytest.mark.parametrize("after", [1, 3, 6])
def test_an_interrupted_packing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Wherever it was interrupted, the files are those of one that was not."""
    monkeypatch.setattr(packing, "PART_STREAMS", 2)
    monkeypatch.setattr("harness.corpus.engines.Engine.part_items", 1)
    monkeypatch.setattr("harness.corpus.engines._WINDOW", 1)
    source = str(all_forms(tmp_path / "in"))
    pack([source], str(tmp_path / "whole"), Here)
    target = str(tmp_path / "resumed")
    with contextlib.suppress(KeyboardInterrupt):
        pack([source], target, partial(Here, interrupted_after=after))
    pack([source], target, Here)
    assert contents(tmp_path / "resumed") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "whole")) > 1


def test_packing_again_adds_what_is_new(tmp_path: Path) -> None:
    """Files that were packed are not read again; a new one is added."""
    source = all_forms(tmp_path / "in")
    target = str(tmp_path / "out")
    pack([str(source)], target, Here)
    before = contents(tmp_path / "out")
    (source / "new.sse").write_bytes(b"data: {}\n\n")
    report = pack([str(source)], target, Here)
    assert (report.streams, report.skipped) == (1, 6)
    assert contents(tmp_path / "out").items() > before.items()


def test_what_cannot_be_read_is_named_and_tried_again(tmp_path: Path) -> None:
    """A damaged archive is reported each time; the others are packed."""
    source = all_forms(tmp_path / "in")
    (source / "g.yaml.gz").write_bytes(b"\x1f\x8bno")
    for streams in (5, 0):
        report = pack([str(source)], str(tmp_path / "out"), Here)
        assert report.streams == streams
        assert [p.partition(":")[0] for p in report.problems] == ["g.yaml.gz"]


def test_a_kind_of_personal_data_must_be_known() -> None:
    """A wrong rule is an error before anything is read."""
    with pytest.raises(Exception, match="personal"):
        PackJob(frozenset({"shoe size"})).prepare()


def test_a_sample_has_each_group(tmp_path: Path) -> None:
    """Groups get as many as each other, the same ones each time."""
    source = all_forms(tmp_path / "in")

    def take(count: int) -> list[tuple[tuple[str, ...], str]]:
        return sample(Corpus(str(source)), ["provider"], count, lambda _error: None)

    assert [group for group, _ in take(2)] == [("",), ("127.0.0.1",)]
    assert take(3) == take(3)
    assert {name for _, name in take(3)} >= {name for _, name in take(2)}
    assert len(take(100)) == 6


def test_ls_and_stats_name_what_is_there(tmp_path: Path) -> None:
    """A data set is listed and counted; a place without recordings is an error."""
    pack([str(all_forms(tmp_path / "in"))], str(tmp_path / "out"), Here)
    listed = harness("corpus", "ls", str(tmp_path / "out"))
    assert (listed.code, len(listed.out.splitlines())) == (0, 5)
    counted = harness("corpus", "stats", str(tmp_path / "out"))
    assert counted.out.startswith("5 streams, ")
    assert "by provider: 127.0.0.1 4, none 1" in counted.out
    (tmp_path / "none").mkdir()
    empty = harness("corpus", "ls", str(tmp_path / "none"))
    assert (empty.code, empty.out) == (2, "")
    assert "none below it" in empty.err
