"""`harness sweep`: rows, going on, comparing, marks."""

from __future__ import annotations

import io
import json
import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.sweep import _progress
from harness.corpus import engines
from harness.corpus.engines import Engine
from harness.corpus.opening import TEXT as FILE
from harness.corpus.opening import Corpus, Item
from harness.corpus.sweeping import Plan, sweep_bytes
from tests.cli.running import Result, harness
from tests.corpus.folders import BROKEN, TEXT, all_forms, rows_of
from tests.corpus.jobs import Here
from tests.odd_inputs.made_recordings import TOML, har, har_entry
from tests.odd_inputs.made_stream import SSE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker processes: what they change is shown in test_engines."""
    interrupt_after(monkeypatch, None)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, number: int | None) -> None:
    """Have the next sweeps interrupted after so many recordings."""

    def start(job: Any, _limits: Any, **_options: Any) -> Here:
        job.prepare()
        return Here(job, interrupted_after=number)

    monkeypatch.setattr(engines, "engine_for", start)


def sweep(corpus: Path, output: Path, *options: str) -> Result:
    """Sweep and return what came out."""
    return harness("sweep", str(corpus), "--output", str(output), *options)


def test_each_stream_has_a_row_in_the_order_of_the_corpus(tmp_path: Path) -> None:
    """Rows have labels, verdicts, counts by kind and a digest; exit 1 on a failure."""
    result = sweep(all_forms(tmp_path / "in"), tmp_path / "rows.jsonl")
    rows = rows_of(tmp_path / "rows.jsonl")
    assert result.code == 1
    assert [row["id"] for row in rows] == [
        "a-text.yaml#0",
        "b-turns.yaml.gz#0",
        "b-turns.yaml.gz#1",
        "c.zip!in/broken.yaml#0",
        "d.tar.gz!again.yaml#0",
        "e.sse#0",
        "f.json",
    ]
    assert rows[0]["verdicts"] == {"check": "ok", "scan": "ok", "replay": "ok"}
    assert rows[3]["verdicts"] == {"check": "found", "scan": "ok", "replay": "found"}
    assert rows[3]["diagnostics"] == {"broken-stream": 1}
    assert rows[0]["digest"] == rows[4]["digest"] != rows[5]["digest"]
    assert rows[6]["shape"] == "no recording"
    assert result.err.startswith(
        "6 streams, 1 failing, 0 set apart; 2 files without a "
    )


def test_a_check_finds_what_harness_check_finds(tmp_path: Path) -> None:
    """A secret is found in a stream and in a comment outside of any, and not shown."""
    secret = "sk-" + "proj-" + "Zx9" * 16
    other = "sk-" + "proj-" + "Qw7" * 16
    text = TEXT.read_text("utf-8").replace("rainbow", secret, 1) + f"# {other}\n"
    rows = sweep_bytes(Item("x.yaml", FILE, text.encode()), Plan(("scan",)))
    assert [row["verdicts"] for row in rows] == [{"scan": "found"}]
    assert sum(rows[0]["diagnostics"].values()) == 2
    assert "line " in json.dumps(rows)
    assert secret not in json.dumps(rows)
    assert other not in json.dumps(rows)


def test_what_cannot_be_read_is_set_apart_and_named(tmp_path: Path) -> None:
    """A damaged and a too large file have a row with the reason; exit 2."""
    source = all_forms(tmp_path / "in")
    (source / "g.yaml").write_text("interactions: [\n- request: {", encoding="utf-8")
    with (source / "h.sse").open("wb") as file:
        file.truncate(10 << 30)  # a hole: no disk is used, and it is never read
    (source / "i.zip").write_bytes(b"no zip")
    result = sweep(source, tmp_path / "rows.jsonl")
    apart = {
        r["id"]: r["apart"] for r in rows_of(tmp_path / "rows.jsonl") if r["apart"]
    }
    assert result.code == 2
    assert sorted(apart) == ["g.yaml", "h.sse", "i.zip"]
    assert "HARNESS_MAX_CASSETTE_BYTES" in apart["h.sse"]
    assert apart["i.zip"].startswith("the archive is damaged: ")
    assert "set apart: g.yaml, h.sse, i.zip" in result.out


@pytest.mark.parametrize("after", [0, 3, 5])
def test_an_interrupted_sweep_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Ctrl-C keeps what is done; the second run gives the rows of an uninterrupted."""
    monkeypatch.setattr(Engine, "part_items", 1)
    monkeypatch.setattr(engines, "_WINDOW", 1)
    source = all_forms(tmp_path / "in")
    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    expected = sweep(source, whole)
    interrupt_after(monkeypatch, after)
    stopped = sweep(source, resumed)
    assert stopped.code == 130
    assert "goes on from there" in stopped.err
    assert not resumed.exists()
    interrupt_after(monkeypatch, 6 - after)  # what is done is not done again
    result = sweep(source, resumed)
    assert (result.code, result.out) == (1, expected.out)
    assert rows_of(resumed) == rows_of(whole)
    assert {path.name for path in tmp_path.iterdir()} == {
        "in",
        "whole.jsonl",
        "resumed.jsonl",
    }


def test_a_sweep_that_is_over_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command reports what is stored; what was added since is swept."""
    source = all_forms(tmp_path / "in")
    first = sweep(source, tmp_path / "rows.jsonl")
    before = (tmp_path / "rows.jsonl").read_bytes()
    interrupt_after(monkeypatch, 0)
    second = sweep(source, tmp_path / "rows.jsonl")
    assert second.out == first.out
    assert "7 rows of it were in" in second.err  # they may be of other code
    assert (tmp_path / "rows.jsonl").read_bytes() == before
    interrupt_after(monkeypatch, 1)
    (source / "z.yaml").write_bytes(TEXT.read_bytes())
    sweep(source, tmp_path / "rows.jsonl")
    after = (tmp_path / "rows.jsonl").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == before.count(b"\n") + 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--do", "replay"], "this sweep does replay; name another --output"),
        (["--do", "fly"], "there is no check 'fly'"),
        (["--do", "consumer"], "name it after the corpus"),
        (["--memory", "much"], "expected a number of bytes"),
        (["--against", "none.jsonl"], "there is no such file"),
        (["--new-since", "README.md"], "neither a time"),
        (["--new-since", "2026-13-01"], "no such time"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, options: list[str], problem: str
) -> None:
    """A mistake is named, exit 2, and the rows that are there stay."""
    source = all_forms(tmp_path / "in")
    sweep(source, tmp_path / "rows.jsonl")
    before = (tmp_path / "rows.jsonl").read_bytes()
    result = sweep(source, tmp_path / "rows.jsonl", *options)
    assert result.code == 2
    assert problem in result.err
    assert (tmp_path / "rows.jsonl").read_bytes() == before


def test_what_would_compare_or_find_nothing_is_refused(tmp_path: Path) -> None:
    """A sweep against its own rows, examples in a file, a corpus of no recordings."""
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"")
    assert "is the output" in sweep(TEXT, rows, "--against", str(rows)).err
    assert "is a file" in sweep(TEXT, rows, "--examples", str(rows)).err
    (tmp_path / "empty.yaml").write_bytes(b"")
    none = sweep(tmp_path / "empty.yaml", tmp_path / "none.jsonl", "--jobs", "1")
    assert (none.code, "there is no recording in it" in none.err) == (2, True)


def test_rows_of_another_corpus_are_not_gone_on_with(tmp_path: Path) -> None:
    """A file in between is named, with what to do; the rows stay."""
    source = all_forms(tmp_path / "in")
    sweep(source, tmp_path / "rows.jsonl")
    (source / "a-before.yaml").write_bytes(TEXT.read_bytes())
    result = sweep(source, tmp_path / "rows.jsonl")
    assert result.code == 2
    assert "a-before.yaml" in result.err
    assert "--new-since" in result.err


def test_a_comparison_names_what_changed_and_why(tmp_path: Path) -> None:
    """An edited recording, another version's answer, and what is new or gone."""
    source = all_forms(tmp_path / "in")
    old = tmp_path / "old.jsonl"
    sweep(source, old)
    rows = [json.loads(line) for line in old.read_text("utf-8").splitlines()]
    rows[1]["digest"], rows[1]["harness"] = "f" * 32, "0.0.9"
    rows[2]["verdicts"]["replay"] = "found"
    rows[4]["id"] = "gone.yaml#0"
    old.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (source / "a-text.yaml").write_bytes(BROKEN.read_bytes())
    result = sweep(source, tmp_path / "new.jsonl", "--against", str(old))
    lines = result.out.splitlines()
    assert result.code == 1
    assert lines[0].startswith("a-text.yaml#0: check ok -> found; replay ok -> found;")
    assert lines[0].endswith(": the recording")
    assert lines[1].startswith("b-turns.yaml.gz#0: emits something else: harness 0.0.9")
    assert lines[2] == (
        "b-turns.yaml.gz#1: replay found -> ok: the consumer, or what is installed "
        "beside harness"
    )
    assert lines[-1] == "streams: 1 new, 1 gone"


def test_only_what_is_new_since_the_mark_is_swept(tmp_path: Path) -> None:
    """A mark moves on with each sweep; a file of the same second is still new."""
    source = tmp_path / "in"
    source.mkdir()
    mark = tmp_path / "mark.json"

    def add(name: str, second: int) -> None:
        (source / name).write_bytes(TEXT.read_bytes())
        os.utime(source / name, (second, second))

    def night(number: int) -> list[str]:
        output = tmp_path / f"{number}.jsonl"
        assert sweep(source, output, "--new-since", str(mark)).code == 0
        return [row["id"] for row in rows_of(output)]

    add("b.yaml", 100)
    assert night(1) == ["b.yaml#0"]
    add("a.yaml", 100)
    add("c.yaml", 101)
    assert night(2) == ["a.yaml#0", "c.yaml#0"]
    assert night(3) == []
    fresh = tmp_path / "t.jsonl"
    assert sweep(source, fresh, "--new-since", "1970-01-01T00:01:41").code == 0
    assert [row["id"] for row in rows_of(fresh)] == ["c.yaml#0"]


def test_the_smallest_failing_streams_are_kept(tmp_path: Path) -> None:
    """Each kind has examples that can be replayed."""
    source = all_forms(tmp_path / "in")
    kept = tmp_path / "kept"
    sweep(source, tmp_path / "rows.jsonl", "--examples", str(kept))
    kinds = json.loads((kept / "kinds.json").read_text("utf-8"))
    assert kinds == {"broken-stream": ["c.zip!in/broken.yaml#0"]}
    [example] = kept.rglob("*.yaml")
    again = harness("check", str(example), "--quiet")
    assert (again.code, "broken-stream" in again.out) == (1, True)


def test_splits_faults_and_a_consumer_are_asked(tmp_path: Path) -> None:
    """Ours hold on every stream; one that loses text does not."""
    source = all_forms(tmp_path / "in")
    (tmp_path / "odd.py").write_text(
        "def read(chunks):\n"
        "    text = ''\n"
        "    for chunk in chunks:\n"
        "        for choice in chunk['choices']:\n"
        "            text = choice['delta'].get('content') or text\n"
        "    return text\n",
        encoding="utf-8",
    )
    result = harness(
        "sweep",
        str(source),
        "odd:read",
        "--do",
        "splits,faults,consumer",
        "--output",
        str(tmp_path / "rows.jsonl"),
        cwd=tmp_path,
    )
    assert result.code == 1
    rows = rows_of(tmp_path / "rows.jsonl")[:6]
    ours = [list(row["verdicts"].values())[:2] for row in rows]
    assert ours == [["ok", "ok"]] * 6
    assert rows[0]["verdicts"]["odd:read"] == "found"
    assert any("agreement" in text for text in rows[0]["problems"])


def test_rows_as_parquet_are_the_same(tmp_path: Path) -> None:
    """Both formats hold the same rows, and both are gone on with."""
    pytest.importorskip("pyarrow", reason="rows as Parquet need pyarrow")
    from harness.corpus.places import Place
    from harness.corpus.rows import read_rows

    source = all_forms(tmp_path / "in")
    first = sweep(source, tmp_path / "rows.jsonl")
    sweep(source, tmp_path / "rows.parquet")
    rows = list(read_rows(Place(str(tmp_path / "rows.parquet"))))
    for row in rows:
        del row["seconds"]
    assert rows == rows_of(tmp_path / "rows.jsonl")
    assert sweep(source, tmp_path / "rows.parquet").out == first.out


def test_a_data_set_and_its_sources_have_the_same_answers(tmp_path: Path) -> None:
    """Packing changes no verdict and no digest."""
    pytest.importorskip("pyarrow", reason="data sets need pyarrow")
    from harness.corpus.packing import pack

    source = all_forms(tmp_path / "in")
    pack([str(source)], str(tmp_path / "packed"), Here)
    sweep(source, tmp_path / "one.jsonl")
    sweep(tmp_path / "packed", tmp_path / "two.jsonl")
    one = {row["digest"]: row["verdicts"] for row in rows_of(tmp_path / "one.jsonl")}
    two = {row["digest"]: row["verdicts"] for row in rows_of(tmp_path / "two.jsonl")}
    del one[""]  # the file that is no recording
    assert one == two


def test_entries_come_in_one_order(tmp_path: Path) -> None:
    """The order is that of the names: what goes on relies on it."""
    source = all_forms(tmp_path / "in")
    names = [entry.name for entry in Corpus(str(source)).entries()]
    assert all(one < two for one, two in pairwise(names))
    assert names == [entry.name for entry in Corpus(f"{source}/").entries()]


def test_a_damaged_data_set_does_not_end_a_sweep(tmp_path: Path) -> None:
    """A part that is none, and one with other columns, are set apart and named."""
    pa = pytest.importorskip("pyarrow", reason="data sets need pyarrow")
    from pyarrow import parquet

    source = all_forms(tmp_path / "in")
    (source / "x.parquet").write_bytes(b"PAR1 no")
    parquet.write_table(pa.table({"id": ["1"], "text": ["?"]}), source / "y.parquet")
    result = sweep(source, tmp_path / "rows.jsonl")
    rows = rows_of(tmp_path / "rows.jsonl")
    assert result.code == 2
    assert len(rows) == 9
    apart = {row["id"]: row["apart"] for row in rows if row["apart"]}
    assert sorted(apart) == ["x.parquet", "y.parquet"]
    assert "it lacks body, chunk_seconds, chunk_sizes, ended" in apart["y.parquet"]


@pytest.mark.parametrize("option", ["--output", "--examples", "pack"])
def test_nothing_is_written_into_what_is_read(tmp_path: Path, option: str) -> None:
    """The next run would take it for recordings."""
    source = all_forms(tmp_path / "in")
    if option == "pack":
        result = harness("corpus", "pack", str(source), "-o", str(source / "packed"))
    elif option == "--output":
        result = sweep(source, source / "rows.jsonl")
    else:
        result = sweep(source, tmp_path / "r.jsonl", "--examples", str(source / "x"))
    assert result.code == 2
    assert "which is read; name a place outside of it" in result.err
    assert len(list(source.iterdir())) == 7


@pytest.mark.parametrize("total", [7, None])
def test_entries_are_counted_for_a_progress_bar(
    tmp_path: Path, total: int | None
) -> None:
    """Files and rows are counted; an archive hides how many it has."""
    source = all_forms(tmp_path / "in")
    if total is not None:
        for name in ("c.zip", "d.tar.gz"):
            (source / name).unlink()
        for name in ("x.sse", "y.sse", "z.sse"):
            (source / name).write_bytes(b"data: {}\n\n")
    assert Corpus(str(source)).count() == total


def test_a_terminal_shows_how_far_a_sweep_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first moment, when no rate is known, to the end."""
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with _progress(Corpus(str(TEXT)), is_quiet=False) as advance:
        advance()
    assert "1/1" in shown.getvalue()


def test_drift_names_the_sdk_that_reads_otherwise(tmp_path: Path) -> None:
    """Each stream has what its vendor's SDK read; another version's doing is named."""
    openai = pytest.importorskip("openai", reason="drift asks the vendor's SDK")
    source, old = all_forms(tmp_path / "in"), tmp_path / "old.jsonl"
    assert sweep(source, old, "--do", "drift").code == 0
    rows = [json.loads(line) for line in old.read_text("utf-8").splitlines()]
    assert {row["verdicts"]["drift"] for row in rows if row["api"]} == {"ok"}
    assert all(openai.__version__ in row["sdk"] for row in rows if row["api"])
    assert rows[0]["sdk_digest"] == rows[4]["sdk_digest"] != rows[5]["sdk_digest"]
    rows[0] |= {"sdk": "openai 1.0.0", "sdk_digest": "0"}
    del rows[1]["sdk"], rows[1]["sdk_digest"]  # of a sweep without it
    old.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    again = tmp_path / "again.jsonl"
    result = sweep(source, again, "--do", "drift", "--against", str(old))
    assert result.code == 1
    assert result.out.splitlines()[0] == (
        f"a-text.yaml#0: the SDK reads something else: openai 1.0.0 -> {rows[4]['sdk']}"
    )
    assert "1 streams changed" not in result.out
    assert sum("reads something else" in line for line in result.out.splitlines()) == 1


def test_every_format_that_replay_reads_is_found_by_its_name(tmp_path: Path) -> None:
    """HAR and TOML, too; of both, documents that are no recordings are passed over."""
    made = {"a.har": har(har_entry(text=SSE)), "b.toml": TOML.encode()}
    made |= {"c.toml": b"[project]\n", "d.har": b'{"log": 1}'}
    made |= {"e.toml": b"[[interactions]]\n[interactions"}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    rows = [
        row
        for entry in Corpus(str(tmp_path)).entries()
        for row in sweep_bytes(entry.load(), Plan(("check",)))
    ]
    assert [(row["id"], row["api"], bool(row["apart"])) for row in rows] == [
        ("a.har#0", "chat", False),
        ("b.toml#0", "chat", False),
        ("c.toml", "", False),
        ("d.har", "", False),
        ("e.toml", "", True),
    ]
