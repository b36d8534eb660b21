"""`harness report`: one page, loaded and clicked in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness.view.report import report_page
from tests.cli.running import harness
from tests.engine.made import cassette, chunk, exchange, finish, sse, text, user

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "cassettes/llama-server/three-steps.yaml"
BROKEN = "tests/data/broken-arguments.sse"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    "",
)
needs_browser = pytest.mark.skipif(not BROWSER, reason="needs a chromium")

# Runs after the page's own script. What went wrong before it is in `errors`, which is
# filled by a listener that is put in front of everything.
_LISTEN = (
    "<script>errors=[];addEventListener('error',e=>errors.push(e.message))</script>"
)
_TELL = (
    "<script>%s;told=%s;document.body.innerHTML='';"
    "document.body.dataset.told=told</script>"
)


def _told(page: str, tmp_path: Path, script: str, wanted: str) -> object:
    """Load a page in a browser, run a script in it, and return what it tells."""
    told = _TELL % (script, f"JSON.stringify([errors,{wanted}])")
    page = page.replace("<head>", f"<head>{_LISTEN}").replace(
        "</body>", f"{told}</body>"
    )
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    result = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--window-size=1200,900", f"--user-data-dir={tmp_path / 'profile'}"),
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'data-told="([^"]*)"', result.stdout)
    assert found is not None, result.stdout[-2000:]
    errors, value = json.loads(html.unescape(found[1]))
    assert errors == []
    return value


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


@needs_browser
def test_a_click_on_a_chunk_shows_it(tmp_path: Path) -> None:
    """In a real browser the button of a chunk shows its raw text and its effect."""
    page = _page(tmp_path, BROKEN)
    told = _told(
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


@needs_browser
def test_the_time_line_is_drawn_and_can_be_clicked(tmp_path: Path) -> None:
    """A click at the end of the canvas chooses the last chunk; something is drawn."""
    told = _told(
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


@needs_browser
def test_keys_move_zoom_and_change_the_exchange(tmp_path: Path) -> None:
    """Arrows, `+`, `d` and `]` do what the page says."""
    told = _told(
        _page(tmp_path, STEPS, BROKEN),
        tmp_path,
        "press=k=>dispatchEvent(new KeyboardEvent('keydown',{key:k,cancelable:true}));"
        "press('ArrowRight');press('ArrowRight');a=here;w=to-from;press('+');z=Math.round((to-from)/w*100);"
        "press(']');b=one;choose(data.streams.length-1);press('d')",
        "[a, z, b, here]",
    )
    assert told == [2, 50, 1, 1]


@needs_browser
def test_twenty_thousand_chunks_open_without_freezing(tmp_path: Path) -> None:
    """The page is drawn, moved and zoomed within two seconds in the browser."""
    body = sse(*(text(f"w{n} ") for n in range(20000)), finish())
    page = report_page([cassette(exchange(body, [user("x")]))])
    told = _told(
        page,
        tmp_path,
        "start=performance.now();select(19999);zoom(.01);select(7)",
        "[performance.now()-start < 2000, document.querySelectorAll('#list button')"
        ".length, data.streams[0].moments.length]",
    )
    assert told == [True, 300, 20001]


@needs_browser
def test_a_recording_cannot_run_in_the_page(tmp_path: Path) -> None:
    """Markup in a recording stays text, in raw data, texts and names."""
    evil = (
        "</script><script>errors.push('ran')</script><img src=x onerror=errors.push(1)>"
    )
    made = cassette(exchange(sse(text(evil), finish()), [user("x")]), path=evil)
    told = _told(
        report_page([made]),
        tmp_path,
        "select(0)",
        "[document.images.length, said.textContent]",
    )
    assert told == [0, f"text {evil!r}"]


def _emitted(page: str) -> str:
    data = re.search(r'<script id="data".*?>(.*?)</script>', page, re.DOTALL)
    assert data is not None
    (stream,) = json.loads(data[1])["streams"]
    return "".join(line for m in stream["moments"] for out in m["out"] for line in out)


def test_reasoning_is_told_to_the_interfaces_when_asked(tmp_path: Path) -> None:
    """With --reasoning the page shows it as emitted, without it not."""
    path = tmp_path / "thinking.sse"
    body = sse(chunk({"reasoning_content": "Hm."}), text("Hi"), finish())
    path.write_text(body, encoding="utf-8")
    assert "Hm." not in _emitted(_page(tmp_path, str(path)))
    assert "Hm." in _emitted(_page(tmp_path, str(path), "--reasoning"))


def test_what_holds_no_stream_is_refused(tmp_path: Path) -> None:
    """A recording without a streamed answer is an input error, and writes nothing."""
    output = tmp_path / "report.html"
    path = "cassettes/llama-server/whole-answer.yaml"
    result = harness("report", path, "-o", str(output))
    assert (result.code, output.exists()) == (2, False)
    assert "no streamed chat completion" in result.err
