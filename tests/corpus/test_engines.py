"""Worker processes and Dask: the same rows, whatever dies, hangs or grows."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.corpus.engines import Engine, Processes, engine_for
from harness.corpus.opening import Item
from harness.corpus.sweeping import Plan
from harness.corpus.worker import Limits
from harness.errors import HarnessError, UsageError
from tests.cli.running import harness, harness_process
from tests.corpus.folders import ROOT, all_forms, rows_of
from tests.corpus.jobs import Poison, Sleeps, entries

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(60, 2 << 30)
ENGINES = [
    pytest.param({"jobs": 2}, id="processes"),
    pytest.param({"jobs": 2, "dask": "local"}, id="dask"),
]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import the jobs of these tests."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def start(job: Any, limits: Limits, options: dict[str, Any]) -> Engine:
    """Start an engine, or skip."""
    if "dask" in options:
        pytest.importorskip("distributed", reason="--dask needs distributed")
    return engine_for(job, limits, **options)


def results(engine: Engine, *contents: bytes) -> list[list[Any]]:
    """Return what came of each item; the items come with it, in order."""
    found = list(engine.run(entries(*contents)))
    assert [item.name for item, _ in found] == [str(n) for n in range(len(contents))]
    return [result for _, each in found for result in each]


def test_processes_give_each_result_once_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two workers, many parts: the order is that of the items."""
    monkeypatch.setattr(Processes, "part_items", 3)
    with Processes(Poison(), LIMITS, 2) as engine:
        got = results(engine, *[b"x" * n for n in range(50)])
    assert got == [[str(n), n] for n in range(50)]


@pytest.mark.slow
def test_poison_is_set_apart_and_the_rest_is_done() -> None:
    """What hangs, takes too much memory or kills its worker is named with a reason."""
    with Processes(Poison(), Limits(0.5, 1 << 30), 1) as engine:
        got = results(engine, b"a", b"hangs", b"b", b"is huge", b"dies", b"c")
    assert got == [
        ["0", 1],
        ["1", "takes longer than the limit of 0.5 s"],
        ["2", 1],
        ["3", "takes more memory than the limit"],
        ["4", "ended its process 3 times (SIGKILL)"],
        ["5", 1],
    ]


def test_a_wrong_job_is_reported_before_anything_starts() -> None:
    """A consumer that does not exist is one error, not one a stream."""
    with pytest.raises(UsageError, match="there is no module"):
        engine_for(Plan((), "no_such_module:Name"), LIMITS, jobs=1)


def test_an_engine_that_is_left_ends_its_processes() -> None:
    """Nothing is left behind, whatever a worker was doing."""
    engine = Processes(Sleeps(), LIMITS, 1)
    with engine:
        future = engine.submit([entries(b"x")[0].load()])
        while not _children(engine):
            time.sleep(0.01)
        [child] = _children(engine)
    with pytest.raises(HarnessError, match="stopped"):
        future.result()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def _children(engine: Engine) -> list[int]:
    assert isinstance(engine, Processes)
    running = [guard._process for guard in engine._guards]
    return [process.pid for process in running if process is not None]


@pytest.mark.slow
def test_rows_do_not_depend_on_the_engine(tmp_path: Path) -> None:
    """One process and two write the same rows."""
    source = all_forms(tmp_path / "in")
    for number in (1, 2):
        output = tmp_path / f"{number}.jsonl"
        harness("sweep", str(source), "--output", str(output), "--jobs", str(number))
    assert rows_of(tmp_path / "1.jsonl") == rows_of(tmp_path / "2.jsonl")


@pytest.mark.slow
def test_rows_of_dask_are_the_same(tmp_path: Path) -> None:
    """A local cluster writes the rows that a process writes, byte for byte."""
    pytest.importorskip("distributed", reason="--dask needs distributed")
    rows = {}
    for name, options in {"one": ["--jobs", "1"], "dask": ["--dask", "local"]}.items():
        output = tmp_path / f"{name}.jsonl"
        result = harness_process(
            "sweep", "cassettes", "--output", str(output), *options
        )
        assert result.code == 1, result.err
        rows[name] = rows_of(output)
    assert rows["one"] == rows["dask"]


@pytest.mark.slow
@pytest.mark.parametrize("options", ENGINES)
def test_killed_workers_lose_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    """`kill -9` ten times in the middle: each result is there, none twice.

    Items kill what works on them, each once: the process, or on a cluster the Dask
    worker above it; half of them at once, the others while the next items are at work.
    """
    job = Poison(str(tmp_path), kills_parent="dask" in options)
    contents = [b"x" * (n % 7) for n in range(700)]
    contents[33::66] = [b"kills", b"kills later"] * 5 + [b"x"]
    with start(job, LIMITS, options) as engine:
        got = results(engine, *contents)
    assert got == [[str(n), len(data)] for n, data in enumerate(contents)]
    killed = [path.read_text("ascii") for path in tmp_path.iterdir()]
    assert len(set(killed)) == len(killed) == 10


@pytest.mark.slow
@pytest.mark.parametrize("options", ENGINES)
def test_parts_that_are_done_are_held_no_longer(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is that of the parts in flight: a cluster's connections keep none."""
    monkeypatch.setattr("harness.corpus.engines.Engine.part_items", 4)
    monkeypatch.setattr("harness.corpus.engines.Dask.part_items", 4)
    with start(Poison(), LIMITS, options) as engine:
        assert sum(1 for _ in engine.run(entries(*[b"x"] * 400))) == 400
        gc.collect()
        held = sum(1 for one in gc.get_objects() if type(one) is Item)
    assert held <= 100


@pytest.mark.slow
@pytest.mark.parametrize("options", ENGINES)
def test_poison_is_set_apart_on_any_engine(options: dict[str, Any]) -> None:
    """A cluster sets apart what processes do, with the same reasons."""
    with start(Poison(), Limits(0.5, 1 << 30), options) as engine:
        got = results(engine, b"a", b"hangs", b"is huge", b"b")
    assert got == [
        ["0", 1],
        ["1", "takes longer than the limit of 0.5 s"],
        ["2", "takes more memory than the limit"],
        ["3", 1],
    ]


_EVENT = (
    'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    '{"content":"%s"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
_ODD = """
import time

def read(chunks):
    text = "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks for choice in chunk["choices"]
    )
    if "hang here" in text:
        time.sleep(600)
    if "grow here" in text:
        bytearray(10 << 30)
    return text
"""


@pytest.mark.slow
def test_a_consumer_that_hangs_on_one_stream_is_named(tmp_path: Path) -> None:
    """The sweep goes on, and the rows name the streams that it hangs or grows on."""
    (tmp_path / "odd.py").write_text(_ODD, encoding="utf-8")
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a fine", "b hang here", "c fine", "d grow here", "e fine"):
        (source / f"{name[0]}.sse").write_text(_EVENT % name, encoding="utf-8")
    result = harness_process(
        *("sweep", str(source), "odd:read", "--do", "consumer", "--jobs", "2"),
        *("--output", "rows.jsonl", "--seconds", "3", "--memory", "1G"),
        cwd=tmp_path,
    )
    rows = rows_of(tmp_path / "rows.jsonl")
    assert result.code == 2
    assert [row["id"] for row in rows if row["apart"]] == ["b.sse", "d.sse"]
    assert [row["id"] for row in rows if not row["apart"]] == [
        "a.sse#0",
        "c.sse#0",
        "e.sse#0",
    ]
    assert "set apart: b.sse, d.sse" in result.out


_WAITING = """
import pathlib, time

def read(chunks):
    text = "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks for choice in chunk["choices"]
    )
    if "150" in text:
        pathlib.Path("reached").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
    return text
"""


# A shell's background jobs ignore Ctrl-C, and so would what they start.
_LISTENS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.cli import main
main()
"""


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    """A real SIGINT in the middle; the same command then gives the rows of a whole.

    The consumer waits at a stream of the fifth part until it may go on, and that part
    begins only when the rows of the first are there: no time decides what is done.
    """
    (tmp_path / "waiting.py").write_text(_WAITING, encoding="utf-8")
    (tmp_path / "in").mkdir()
    for number in range(170):
        path = tmp_path / "in" / f"{number:03}.sse"
        path.write_text(_EVENT % f"text {number}", encoding="utf-8")
    sweep = ["sweep", "in", "waiting:read", "--do", "consumer", "--jobs", "1"]
    sweep += ["--seconds", "600"]
    output = tmp_path / "rows.jsonl"
    sweeping = subprocess.Popen(
        [sys.executable, "-c", _LISTENS, *sweep, "--output", output.name],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (tmp_path / "reached").exists():
            assert sweeping.poll() is None, sweeping.communicate()
            time.sleep(0.01)
        sweeping.send_signal(signal.SIGINT)
        _, err = sweeping.communicate(timeout=60)
    finally:
        sweeping.kill()
    assert (sweeping.returncode, "goes on from there" in err) == (130, True), err
    assert "Traceback" not in err
    spool = (tmp_path / "rows.jsonl.partial" / "00000000.jsonl").read_bytes()
    assert 32 <= spool.count(b"\n") <= 150
    (tmp_path / "go").touch()
    for name in (output.name, "whole.jsonl"):
        result = harness_process(*sweep, "--output", name, cwd=tmp_path)
        assert result.code == 0, result.err
    assert output.read_bytes().startswith(spool)  # `seconds` too: not done again
    assert rows_of(output) == rows_of(tmp_path / "whole.jsonl")
    assert len(rows_of(output)) == 170
