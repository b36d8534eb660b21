"""The page of `harness report` at its ends: zoom, length, number, kinds, readers."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.load import load_cassette
from harness.debug.report import drawn, report_page
from tests.cli.running import harness
from tests.engine.made import cassette, exchange, finish, sse, text, user
from tests.view.browser import in_browser, told_by
from tests.view.test_report import BROKEN, STEPS, _data, _long_page, _page

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cassettes.model import Cassette

DIES = "cassettes/llama-cpp-python/server-dies.yaml"
VARIED = ("--split=chars", "--fault=no-done", "--dialect=azure")
QUEUED = ("--interface=queuing",)
_WHEEL = (
    "turn=(d,x)=>time.dispatchEvent(new WheelEvent('wheel',{deltaY:d,ctrlKey:true,"
    "clientX:time.getBoundingClientRect().left+x,cancelable:true}));"
)


@in_browser
@pytest.mark.timed
@pytest.mark.parametrize("make", [lambda p: _page(p, STEPS), lambda _: _long_page()])
def test_a_thousand_turns_of_the_wheel_leave_the_page_alive(
    tmp_path: Path, make: Any
) -> None:
    """500 turns in and 500 out at each end: drawn within a second, inside the whole."""
    told = told_by(
        make(tmp_path),
        tmp_path,
        _WHEEL + "start=performance.now();spans=[];"
        "for(const x of [1,time.clientWidth-1])for(const d of [-100,100]){"
        "for(let k=0;k<500;k++)turn(d,x);draw();spans.push(to-from)}"
        "took=performance.now()-start;[a,b]=edges()",
        "[took<1000||took, spans[0]<spans[1], spans[0]>=smallest/4*.999,"
        "from>=a&&to<=b,"
        "Math.abs(spans[1]-(b-a))<1e-6]",
    )
    assert told == [True, True, True, True, True]


@in_browser
def test_the_wheel_scrolls_the_page_where_it_does_not_zoom(tmp_path: Path) -> None:
    """Without Ctrl or focus nothing is swallowed, nor at the end of the zoom."""
    told = told_by(
        _page(tmp_path, STEPS),
        tmp_path,
        "turn=(d,c)=>{const e=new WheelEvent('wheel',{deltaY:d,ctrlKey:c,clientX:200,"
        "cancelable:true});time.dispatchEvent(e);return e.defaultPrevented};"
        "plain=turn(-100,false);time.focus();zooms=turn(-100,false);"
        "for(let k=0;k<99;k++)turn(100,false);end=turn(100,false)",
        "[plain, zooms, end]",
    )
    assert told == [False, True, False]


@in_browser
def test_the_last_of_twenty_thousand_chunks_is_reached_by_scrolling(
    tmp_path: Path,
) -> None:
    """The end of the list is the end of the stream, and few rows are held."""
    told = told_by(
        _long_page(),
        tmp_path,
        "box.scrollTop=box.scrollHeight;list();"
        "rows=[...document.querySelectorAll('#list button')];rows.at(-1).click()",
        "[rows.at(-1).textContent, rows.length<60, here,"
        "document.querySelector('#list').getAttribute('aria-rowcount')]",
    )
    assert told == ["20000", True, 20000, "20002"]


def _five_hundred() -> list[Cassette]:
    made = []
    for number in range(500):
        parts = [text(f"answer {number}")]
        if number != 499:
            parts.append(finish())
        body = sse(*parts)
        made.append(cassette(exchange(body, [user("x")]), path=f"r{number}.yaml"))
    return made


@in_browser
@pytest.mark.timed
def test_five_hundred_recordings_load_with_the_failing_first(tmp_path: Path) -> None:
    """They are there within two seconds, filtered and sorted at once."""
    told = told_by(
        report_page(map(drawn, _five_hundred())),
        tmp_path,
        "took=performance.now();rows=()=>[...summary.tBodies[0].rows].map(r=>r.cells[0]"
        ".textContent);first=rows()[0];count=rows().length;filter.value='r77.yaml';"
        "filter.dispatchEvent(new Event('input'));only=rows();filter.value='';table();"
        "summary.tHead.querySelector('[data-name=recording] button').click();"
        "summary.tHead.querySelector('[data-name=recording] button').click()",
        "[took<2000||took, first, count, only, rows()[0], summary.tHead"
        ".querySelector('[aria-sort]').dataset.name]",
    )
    assert told == [
        *(True, "r499.yaml exchange 0", 500, ["r77.yaml exchange 0"]),
        *("r99.yaml exchange 0", "recording"),
    ]


@in_browser
def test_question_and_answer_link_to_chunks_and_the_address_is_written(
    tmp_path: Path,
) -> None:
    """A piece of the answer selects its chunk; the link leads there in a new page."""
    page = _page(tmp_path, STEPS, BROKEN)
    told = told_by(
        page,
        tmp_path,
        f"history.replaceState(null,'','#{STEPS}:0:4');follow();"
        "asked=question.textContent;was=here;"
        "piece=document.querySelector('#answer [data-at=\"6\"]');piece.click()",
        "[asked, was, here, piece.textContent, piece.getAttribute('href'),"
        "document.getElementById('answer').textContent]",
    )
    assert told == [
        *("Tell me the weather in Rome.", 4, 6, "Rome", f"#{STEPS}:0:6"),
        'call 0: get_weather{"city": "Rome"}',
    ]


def test_every_exchange_is_on_the_page(tmp_path: Path) -> None:
    """HTTP errors and whole answers too, each with what it is and its state."""
    names = ("http-400", "whole-answer", "plain-text")
    page = _page(tmp_path, *(f"cassettes/llama-server/{name}.yaml" for name in names))
    found = [(s["kind"], s["state"]) for s in _data(page)["streams"]]
    assert found == [("other", "failing"), *[("whole", "")] * 2, ("stream", "")]
    whole = _data(page)["streams"][1]
    assert whole["whole"]
    assert whole["question"]
    assert all(whole["after"])


@pytest.mark.parametrize(
    ("path", "options"),
    [(STEPS, ()), (BROKEN, ()), (DIES, ()), (STEPS, VARIED), (STEPS, QUEUED)],
)
def test_the_test_that_is_copied_passes(
    tmp_path: Path, path: str, options: tuple[str, ...]
) -> None:
    """What *copy as pytest test* writes holds for what the page shows."""
    page = _page(tmp_path, path, *options)
    for entry in _data(page)["streams"]:
        room: dict[str, Any] = {}
        exec(entry["test"], room)
        (test,) = (made for name, made in room.items() if name.startswith("test_"))
        test()
        assert [one for one in options if one.split("=")[1] not in entry["test"]] == []


def test_two_recordings_are_compared_on_the_page(tmp_path: Path) -> None:
    """With --diff the page begins with what the two do not both say."""
    other = "cassettes/llama-cpp-python/three-steps.yaml"
    data = _data(_page(tmp_path, STEPS, other, "--diff"))
    assert data["diff"]["same"] is False
    assert data["diff"]["emissions"]["a"] == len(
        harness("replay", STEPS, "--format", "jsonl").out.splitlines()
    )
    assert harness("report", STEPS, "--diff").code == 2


def test_a_variation_and_an_interface_are_drawn(tmp_path: Path) -> None:
    """--split, --dialect, --fault and --interface say what the page shows."""
    page = _page(tmp_path, STEPS, "--interface", "queuing", "--split", "chars")
    stream = _data(page)["streams"][0]
    assert stream["interfaces"] == ["queuing"]
    assert stream["variation"] == "--split chars"
    assert len(stream["moments"]) > 10
    broken = _data(_page(tmp_path, STEPS, "--fault", "no-done"))["streams"][0]
    assert "no-done" in broken["variation"]


@in_browser
def test_all_of_a_stream_is_printed(tmp_path: Path) -> None:
    """On paper every chunk of the exchange is there, and afterwards few again."""
    body = sse(*(text(f"w{n} ") for n in range(500)), finish())
    page = report_page([drawn(cassette(exchange(body, [user("x")])))])
    told = told_by(
        page,
        tmp_path,
        "rows=()=>document.querySelectorAll('#list button').length;"
        "dispatchEvent(new Event('beforeprint'));all=rows();"
        "dispatchEvent(new Event('afterprint'))",
        "[all, rows()<60]",
    )
    assert told == [501, True]


@in_browser
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(tmp_path: Path, *, is_dark: bool) -> None:
    """No rule of axe-core is broken, with a long list, a table and a failure."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm for axe-core")
    room = tmp_path / "axe"
    room.mkdir()
    got = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "axe-core@4"],
        cwd=room,
        capture_output=True,
        check=False,
        timeout=100,
    )
    axe = room / "node_modules/axe-core/axe.min.js"
    if got.returncode or not axe.is_file():
        pytest.skip("axe-core could not be installed: no package registry")
    cassettes = [load_cassette(STEPS), load_cassette(BROKEN), *_five_hundred()[:20]]
    script = axe.read_text("utf-8").replace("</script", "<\\/script")
    told = told_by(
        report_page(map(drawn, cassettes)),
        tmp_path,
        script,
        "0",
        is_dark=is_dark,
        later="axe.run().then(r=>r.violations.map(v=>v.id+': '+v.nodes.slice(0,3)"
        ".map(n=>n.html.slice(0,120)).join(' | ')))",
    )
    assert told == [], json.dumps(told, indent=1)
