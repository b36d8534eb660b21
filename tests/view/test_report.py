"""`harness report`: one page, loaded and clicked in a real browser."""

from __future__ import annotations

import html
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.debug.report import drawn, report_page
from tests.cli.running import harness
from tests.engine.made import cassette, chunk, exchange, finish, sse, text, user
from tests.view.browser import hash_of, in_browser, shown_by_browser, told_by

STEPS = "cassettes/llama-server/three-steps.yaml"
BROKEN = "tests/data/broken-arguments.sse"


def _page(tmp_path: Path, *paths: str) -> str:
    output = tmp_path / "report.html"
    result = harness("report", *paths, "-o", str(output))
    assert result.code == 0, result.err
    return output.read_text("utf-8")


def test_page_loads_nothing_from_anywhere(tmp_path: Path) -> None:
    """No address, no import and no style sheet: the page is whole."""
    page = _page(tmp_path, STEPS)
    shell = re.sub(r'<script id="data".*?</script>', "", page, flags=re.DOTALL)
    assert not re.search(r"https?:|src=|href=|@import|url\(|fetch\(", shell)


def test_page_has_a_policy_that_allows_its_own_script_only(tmp_path: Path) -> None:
    """Nothing may be loaded; style and script are allowed by what they are."""
    page = _page(tmp_path, STEPS)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    script = re.search(r"<script>.*?</script>", page, re.DOTALL)
    assert script is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert f"script-src {hash_of(script[0])}" in policy[1]
    assert "unsafe" not in policy[1]


@in_browser
def test_a_script_that_is_not_the_page_s_own_does_not_run(tmp_path: Path) -> None:
    """Even where a recording got a script into the page, the policy would stop it."""
    page = _page(tmp_path, STEPS).replace(
        "<h1>", "<script>document.title='ran'</script><img src=http://127.0.0.1:9/><h1>"
    )
    # What the browser reports of the two is the only thing that goes wrong.
    told = told_by(page, tmp_path, "errors=[]", "[document.title]")
    assert told == ["harness report"]


@in_browser
def test_a_click_on_a_chunk_shows_it(tmp_path: Path) -> None:
    """In a real browser the button of a chunk shows its raw text and its effect."""
    page = _page(tmp_path, BROKEN)
    told = told_by(
        page,
        tmp_path,
        "document.querySelector('#list [data-chunk=\"1\"]').click()",
        "[place.textContent, said.textContent, caused.textContent, found.textContent]",
    )
    assert isinstance(told, list)
    place, said, caused, found = told
    assert place == "exchange 0, chunk 1, read 0, byte 303"
    assert said == "call 0 arguments ' \"there\"}'"
    assert '{"arguments": " \\"there\\"}"}' in caused
    assert "^ expected ',' or '}'" in found


@in_browser
def test_the_time_line_is_drawn_and_can_be_clicked(tmp_path: Path) -> None:
    """A click at the end of the canvas chooses the last chunk; something is drawn."""
    told = told_by(
        _page(tmp_path, STEPS),
        tmp_path,
        "box=time.getBoundingClientRect();"
        "time.dispatchEvent(new MouseEvent('click',"
        "{clientX:box.right-1,clientY:box.top+9}));"
        "inked=time.getContext('2d').getImageData(0,0,time.width,time.height)"
        ".data.some(v=>v)",
        "[place.textContent.split(',')[1], inked]",
    )
    assert told == [" chunk 9", True]


@in_browser
def test_keys_move_zoom_and_change_the_exchange(tmp_path: Path) -> None:
    """Arrows, `+`, `d` and `]` do what the page says."""
    told = told_by(
        _page(tmp_path, STEPS, BROKEN),
        tmp_path,
        "choose(order[0]);press=k=>dispatchEvent(new KeyboardEvent('keydown',"
        "{key:k,cancelable:true}));press('ArrowRight');press('ArrowRight');a=here;"
        "w=to-from;press('+');z=Math.round((to-from)/w*100);"
        "press(']');b=order.indexOf(one);choose(data.streams.length-1);press('d')",
        "[a, z, b, here]",
    )
    assert told == [2, 50, 1, 1]


def _long_page() -> str:
    body = sse(*(text(f"w{n} ") for n in range(20000)), finish())
    return report_page([drawn(cassette(exchange(body, [user("x")])))])


@in_browser
def test_twenty_thousand_chunks_cost_no_more_than_what_is_shown(tmp_path: Path) -> None:
    """List, page and time line hold what fits, however long the stream is."""
    told = told_by(
        _long_page(),
        tmp_path,
        "marks=0;for(const n of ['fillRect','strokeRect']){"
        "const real=CanvasRenderingContext2D.prototype[n];"
        "CanvasRenderingContext2D.prototype[n]="
        "function(...a){marks++;real.apply(this,a)}};"
        "select(19999);all=marks;zoom(.01);near=marks-all;select(7);last=here",
        "[document.querySelectorAll('#list button').length < 60, last,"
        "document.querySelectorAll('*').length < 1000,"
        "all <= 5 * time.width, near < 1000, data.streams[0].moments.length]",
    )
    assert told == [True, 7, True, True, True, 20001]


@in_browser
@pytest.mark.timed
def test_twenty_thousand_chunks_open_without_freezing(tmp_path: Path) -> None:
    """The page is loaded within two seconds, and a move takes a tenth of one."""
    told = told_by(
        _long_page(),
        tmp_path,
        "loaded=performance.now();select(19999);zoom(.01);select(7);all=performance.now()",
        "[loaded, (all - loaded) / 3]",
    )
    assert isinstance(told, list)
    loaded, move = told
    assert loaded < 2000
    assert move < 100


@in_browser
def test_gaps_and_the_first_text_are_shown(tmp_path: Path) -> None:
    """Of a timed stream the wait and the longest silence are told and shaded."""
    body = sse(chunk({"role": "assistant"}), text("a"), text("b"), text("c"), finish())
    ends = [m.end() for m in re.finditer("\n\n", body)]
    sizes = [b - a for a, b in pairwise([0, *ends])]
    times = [1.0, 2.0, 2.25, 3.75, 4.0, 4.0]
    wire = list(zip(times, sizes, strict=True))
    made = cassette(exchange(body, [user("x")], wire=wire))
    told = told_by(
        report_page([drawn(made)]),
        tmp_path,
        "colour=(s,h)=>time.getContext('2d').getImageData(px(s),h,1,1).data.join()",
        "[facts.textContent, new Set([.3,3.1,2.1].map(s=>colour(s,3))).size,"
        "colour(.3,3)===colour(1.4,3)]",
    )
    facts = (
        "seconds from the request; first text after 2.000, longest gap 1.500 before "
    )
    assert told == [f"{facts}chunk 3", 3, True]


# Relative luminance and contrast ratio as WCAG 2 defines them.
_CONTRAST = (
    "part=v=>(v/=255)<=.03928?v/12.92:((v+.055)/1.055)**2.4;"
    "light=c=>{const [r,g,b]=c.match(/\\d+/g).map(part);"
    "return .2126*r+.7152*g+.0722*b};"
    "value=n=>{const e=document.createElement('i');e.style.color=`var(${n})`;"
    "document.body.append(e);const c=getComputedStyle(e).color;e.remove();return c};"
    "ratio=(a,b)=>{const [x,y]=[light(value(a)),light(value(b))].sort((p,q)=>q-p);"
    "return (x+.05)/(y+.05)};"
)


@in_browser
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_in_dark_and_light(tmp_path: Path, *, is_dark: bool) -> None:
    """All colours of text stand out from what they are on, by WCAG's 4.5 to 1."""
    told = told_by(
        _page(tmp_path, BROKEN),
        tmp_path,
        _CONTRAST,
        "[light(value('--back')) < .5, ['--text','--dim','--bad'].flatMap(t=>"
        "['--back','--box','--here'].map(b=>[t,b,ratio(t,b)])).filter(r=>r[2]<4.5&&"
        "!(r[0]==='--dim'&&r[1]==='--here'))]",
        is_dark=is_dark,
    )
    assert told == [is_dark, []]


@in_browser
def test_a_phone_scrolls_only_down(tmp_path: Path) -> None:
    """At 360 pixels nothing is wider than the screen, the table neither."""
    page = _page(tmp_path, STEPS, BROKEN)
    outer = (
        "<!doctype html><html><head></head><body><iframe id=f style='width:360px;"
        f"height:800px;border:0' srcdoc='{html.escape(page)}'></iframe>"
        "<script>onload=()=>{const d=f.contentDocument,e=d.documentElement;"
        "document.body.dataset.told=JSON.stringify([[],[e.clientWidth,e.scrollWidth,"
        "d.querySelector('.scroll').scrollWidth<=360,d.querySelectorAll('#list button')"
        ".length]])}</script></body></html>"
    )
    assert shown_by_browser(outer, tmp_path) == [360, 360, True, 3]


@in_browser
def test_tab_reaches_everything_without_going_through_the_list(tmp_path: Path) -> None:
    """Of the list of chunks only the current one is a stop of the Tab key."""
    told = told_by(
        _page(tmp_path, STEPS),
        tmp_path,
        "select(4);stops=[...document.querySelectorAll('#list button')]"
        ".filter(b=>b.tabIndex>=0).map(b=>b.dataset.chunk)",
        "[stops, time.tabIndex]",
    )
    assert told == [["4"], 0]


@in_browser
def test_a_recording_cannot_run_in_the_page(tmp_path: Path) -> None:
    """Markup in a recording stays text, in raw data, texts and names."""
    evil = (
        "</script><script>errors.push('ran')</script><img src=x onerror=errors.push(1)>"
    )
    made = cassette(exchange(sse(text(evil), finish()), [user("x")]), path=evil)
    told = told_by(
        report_page([drawn(made)]),
        tmp_path,
        "select(0)",
        "[document.images.length, said.textContent]",
    )
    assert told == [0, f"text {evil!r}"]


def _data(page: str) -> dict[str, Any]:
    data = re.search(r'<script id="data".*?>(.*?)</script>', page, re.DOTALL)
    assert data is not None
    found: dict[str, Any] = json.loads(data[1])
    return found


def test_plots_count_every_stream_and_fragment(tmp_path: Path) -> None:
    """Sizes, rates, gaps and fragment lengths of all recordings, none left out."""
    data = _data(_page(tmp_path, STEPS, BROKEN))
    counts = {name: sum(n for _, n in bars) for name, bars in data["plots"].items()}
    timed = [s for s in data["streams"] if s["seconds"] is not None]
    fragments = [
        said for s in data["streams"] for m in s["moments"] for said in m["said"]
    ]
    assert counts == {
        "fragment lengths": sum(not said.startswith("finish") for said in fragments),
        "gaps, seconds": sum(len(s["moments"]) - 1 for s in timed),
        "chunks a stream": 4,
        "bytes a stream": 4,
        "chunks a second": 3,
    }


def test_times_that_go_back_are_waits_of_nothing(tmp_path: Path) -> None:
    """Somebody edited the recording; no plot has a bar below zero or beyond numbers."""
    recorded = tmp_path / "edited.yaml"
    text = Path(STEPS).read_text("utf-8")
    recorded.write_text(text.replace("[5.279,", "[0.5,"), "utf-8")
    waits = _data(_page(tmp_path, str(recorded)))["plots"]["gaps, seconds"]
    assert all(float(start) >= 0 for start, _ in waits)


def _emitted(page: str) -> str:
    (stream,) = _data(page)["streams"]
    return "".join(line for m in stream["moments"] for out in m["out"] for line in out)


def test_reasoning_is_told_to_the_interfaces_when_asked(tmp_path: Path) -> None:
    """With --reasoning the page shows it as emitted, without it not."""
    path = tmp_path / "thinking.sse"
    body = sse(chunk({"reasoning_content": "Hm."}), text("Hi"), finish())
    path.write_text(body, encoding="utf-8")
    assert "Hm." not in _emitted(_page(tmp_path, str(path)))
    assert "Hm." in _emitted(_page(tmp_path, str(path), "--reasoning"))


def test_what_holds_no_exchange_is_refused(tmp_path: Path) -> None:
    """A recording without any exchange is an input error, and writes nothing."""
    output = tmp_path / "report.html"
    empty = tmp_path / "empty.yaml"
    empty.write_text("version: 1\ninteractions: []\n", encoding="utf-8")
    result = harness("report", str(empty), "-o", str(output))
    assert (result.code, output.exists()) == (2, False)
