"""`python -m tests.third_party.matrix`: what clients make of odd streams.

Every stream of the fuzzer's stock, and every dialect and fault of every API, is served
to every library that speaks the API; what the library returns is held against what the
API's own reader reads. Writes the page `docs/pages/reference/matrix.md`. The pinned
libraries are installed where they are missing (`environments.py`); `--library NAME`
and `--input TEXT` take a part, which is printed and not written.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import queue
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from harness.apis.chat.dialects import DIALECTS, parse_dialect
from harness.apis.chat.faults import FAULTS, parse_fault
from harness.debug.outcomes import canonical
from harness.fuzz.api_arrivals import (
    answer_of,
    stock_answers,
    style_names,
    written_bytes,
)
from harness.fuzz.arrivals import Truth, chunks_of, truth_of
from harness.fuzz.breaking import break_arrival
from harness.fuzz.odd import ODD_BYTES, odd_bytes, only_cuts, stock
from harness.fuzz.served_streams import StreamServer
from harness.fuzz.writing import event_bytes
from tests.third_party.environments import (
    FRAMEWORKS,
    NODE,
    ROOT,
    SDKS,
    around,
    folder_of,
    node_folder_of,
)
from tests.third_party.libraries import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.arrivals import Arrival

__all__ = ["APIS", "PAGE", "VERDICTS", "Asked", "Input", "inputs", "verdict"]

PAGE = ROOT / "docs" / "pages" / "reference" / "matrix.md"
APIS = {
    "chat": "Chat Completions",
    "responses": "Responses",
    "anthropic": "Anthropic Messages",
    "gemini": "Gemini",
}
COLUMNS = (*LIBRARIES, "ai")
_ELSEWHERE = {"gemini-array", "code-assist", "array-not-closed", "bedrock-invoke"}
"""Shapes that only another endpoint sends than the one that a client asks."""
_TELLING = "text and parallel calls"
_EACH_S = 15.0
_START_S = 120.0

VERDICTS = {
    "right": "the content and the calls that came; of an answer that did not come to "
    "its end, an exception of its own, or an ending that shows it",
    "exception": "an exception of its own for an answer that is complete",
    "crash": "an exception of the language, such as `KeyError` or `TypeError`",
    "loss": "content or calls are missing or altered, and nothing shows it",
    "partial": "an answer without its end, or with an error in it, is returned as "
    "complete",
    "hangs": f"no answer within {_EACH_S:g} s",
    "untried": "it could not be asked on the machine of that day",
}
_NORMAL = {
    *("stop", "tool_calls", "function_call", "end_turn", "tool_use", "completed"),
    *("stop_sequence", "tool-calls"),
}


class Input(NamedTuple):
    """A stream that is served."""

    name: str
    pieces: Arrival
    truth: Truth


class Asked(NamedTuple):
    """What a library did with it."""

    verdict: str
    detail: str = ""


def inputs(api: str) -> dict[str, Input]:
    """Return the stock of an API as bytes: odd shapes, dialects, faults."""
    made = _chat() if api == "chat" else _of_api(api)
    return {one.name: one for one in made if any(one.pieces)}


def _input(api: str, name: str, pieces: Arrival, truth: Truth | None = None) -> Input:
    return Input(name, pieces, truth or truth_of(pieces, "", api))


def _chat() -> Iterator[Input]:
    streams = stock()
    for name, stream in streams.items():
        if name not in only_cuts():  # may be read in several ways
            yield _input("chat", name, tuple(event_bytes(stream)))
    telling = streams[_TELLING]
    pieces = tuple(event_bytes(telling))
    for odd in ODD_BYTES:
        yield _input("chat", odd, odd_bytes(odd, telling))
    for name in DIALECTS:
        dialect = parse_dialect(name)
        encoded = tuple(dialect.framing.encode(dialect.apply(chunks_of(telling))))
        truth = replace(truth_of(telling, ""), is_sound=True)
        yield _input("chat", f"dialect {name}", encoded, truth)
    for name, kind in FAULTS.items():
        text = name if kind.default is None else f"{name}:{kind.default}"
        broken = break_arrival(pieces, parse_fault(text))
        truth = truth_of(broken, "")
        if kind.leaves != "prefix":
            truth = replace(truth, is_sound=kind.leaves == "same")
        yield _input("chat", f"fault {text}", broken, truth)


def _of_api(api: str) -> Iterator[Input]:
    answers = stock_answers(api)
    for name, answer in answers.items():
        yield _input(api, name, written_bytes(api, answer))
    telling = answers[_TELLING]
    dialects, faults = style_names(api)
    for name in dialects:
        if name not in _ELSEWHERE:
            pieces = written_bytes(api, telling, dialect=name)
            yield _input(api, f"dialect {name}", pieces)
    for name in faults:
        if name not in _ELSEWHERE:
            pieces = written_bytes(api, telling, fault=name)
            truth = replace(truth_of(pieces, "", api), is_sound=False)
            yield _input(api, f"fault {name}", pieces, truth)


def _has_error(api: str, pieces: Arrival) -> bool:
    from harness.core.parts import Problem

    if api == "chat":
        return any(b'"error": {' in p or b'"error":{' in p for p in pieces)
    parts = [part for event in answer_of(api, pieces) for part in event]
    kinds = {str(part.kind) for part in parts if isinstance(part, Problem)}
    return any("error" in kind or "failed" in kind for kind in kinds)


def verdict(api: str, one: Input, found: dict[str, Any] | None) -> Asked:
    """Hold what a library returned against what came.

    Args:
        api: In which it was asked.
        one: What was served.
        found: What the library returned, as `libraries.py` shows it; None if nothing.
    """
    truth = one.truth
    finish = truth.finish.lower()
    is_whole = truth.is_ended and not _has_error(api, one.pieces)
    is_complete = is_whole and (not finish or finish in _NORMAL)
    if found is None:
        return Asked("hangs")
    if "error" in found:
        if found["is_crash"]:
            return Asked("crash", found["error"])
        word = "exception" if is_complete and truth.is_sound else "right"
        return Asked(word, found["error"])
    if not is_complete:
        shown = str(found["finish"] or "").lower()
        is_shown = shown not in _NORMAL
        return Asked("right" if is_shown else "partial", f"finish {shown!r}")
    if not truth.is_sound:
        return Asked("right", "may be read in several ways")
    calls = [(call.name, canonical(call.arguments)) for call in truth.calls]
    got = [
        (call["name"], canonical(call["arguments"].strip() or "{}"))
        for call in found["calls"]
    ]
    texts = {truth.text, truth.text or truth.refusal, truth.text + truth.refusal}
    if calls == got and found["content"] in texts:
        return Asked("right")
    if calls != got:
        return Asked("loss", f"calls {got}, expected {calls}")
    return Asked("loss", f"content {found['content']!r}, expected {truth.text!r}")


@dataclass(slots=True)
class Worker:
    """A library in a process of its own."""

    command: list[str]
    environment: dict[str, str]
    version: str = ""
    _process: subprocess.Popen[str] | None = None
    _lines: queue.Queue[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, url: str) -> dict[str, Any] | None:
        """Return what it answers; None if it does not."""
        limit_s = _EACH_S
        if self._process is None:
            self._start()
            limit_s = _START_S  # it is imported by the first question
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{url}\n")
        self._process.stdin.flush()
        line = self._line(limit_s)
        if not line:
            self._stop()
            return None
        found: dict[str, Any] = json.loads(line)
        return found

    def _line(self, limit_s: float) -> str:
        assert self._lines is not None
        try:
            return self._lines.get(timeout=limit_s)
        except queue.Empty:
            return ""

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=self.environment,
        )
        lines: queue.Queue[str] = queue.Queue()
        self._lines = lines

        def read(process: subprocess.Popen[str]) -> None:
            for line in process.stdout or ():
                lines.put(line)
            lines.put("")  # it ended

        threading.Thread(target=read, args=(self._process,), daemon=True).start()
        first = self._line(_START_S)
        if not first:
            raise RuntimeError(f"{' '.join(self.command)} does not start")
        self.version = json.loads(first)["version"]

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def worker(library: str, api: str, *, is_here: bool = False) -> Worker:
    """Return what asks a library.

    Args:
        library: A name of `COLUMNS`.
        api: In which it is asked.
        is_here: Take what this environment has, in place of the pinned releases.
    """
    here = Path(__file__).parent
    if library == "ai":
        folder = node_folder_of(*NODE)
        command = ["node", str(here / "libraries.mjs"), str(folder), api]
        return Worker(command, around(folder))
    is_sdk = any(pin.startswith(f"{LIBRARIES[library][0]}==") for pin in SDKS)
    command = [sys.executable, str(here / "libraries.py"), library, api]
    if is_here:
        return Worker(command, around(ROOT))
    return Worker(command, around(folder_of(*(SDKS if is_sdk else FRAMEWORKS))))


def columns(api: str) -> list[str]:
    """Return the libraries that speak an API."""
    return [name for name in COLUMNS if name == "ai" or api in LIBRARIES[name][1]]


def run(api: str, library: str, wanted: str = "") -> tuple[str, dict[str, Asked]]:
    """Serve every input to a library; return its version and what it did."""
    server = StreamServer()
    done = {}
    with worker(library, api) as asked:
        for name, one in inputs(api).items():
            if wanted in name:
                server.pieces = one.pieces
                found = asked.ask(server.base_url(api))
                done[name] = verdict(api, one, found)
        version = asked.version
    server.close()
    return version, done


def main(arguments: list[str]) -> int:
    """Write the page, or print a part of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.third_party.matrix")
    parser.add_argument("--library", choices=COLUMNS)
    parser.add_argument("--api", choices=APIS)
    parser.add_argument("--input", default="", help="a part of the name of an input")
    given = parser.parse_args(arguments)
    found: dict[str, dict[str, dict[str, Asked]]] = {}
    versions: dict[str, str] = {}
    is_part = given.library or given.api or given.input
    for api in APIS:
        for library in columns(api):
            if given.library in {None, library} and given.api in {None, api}:
                version, done = run(api, library, given.input)
                versions[library] = version
                found.setdefault(api, {})[library] = done
                counts = Counter(asked.verdict for asked in done.values())
                print(f"{api}, {library} {version}: {dict(counts)}", flush=True)
                for name, asked in done.items():
                    if is_part or asked.verdict != "right":
                        print(f"  {name}: {asked.verdict} {asked.detail}"[:220])
    if not is_part:
        PAGE.write_text(page(found, versions), encoding="utf-8")
    return 0


_HEAD = """\
# What clients and frameworks make of odd streams

{total} streams, served to the vendors' SDKs and to frameworks over HTTP: every shape of the
fuzzer's stock, every dialect and every fault that harness has of an API. What a library
returns is held against what the API's reader in harness reads. Made by
`python -m tests.third_party.matrix`, which installs the pinned releases; what a dialect or
a fault is: [Splits, dialects, faults](variations.md).

| word | what the library does |
|---|---|
{words}

A stream that may be read in several ways is *right* without a crash. Not judged: reasoning,
usage, and how early a text is shown. How each library is called is in
`tests/third_party/libraries.py`.

{tried}

## In numbers
"""  # noqa: E501 - a page


def page(
    found: dict[str, dict[str, dict[str, Asked]]], versions: dict[str, str]
) -> str:
    """Return the page."""
    total = sum(len(next(iter(done.values()))) for done in found.values())
    words = "\n".join(f"| {name} | {text} |" for name, text in VERDICTS.items())
    head = [_HEAD.format(total=total, words=words, tried=_tried(versions))]
    head.append(f"| API | library | {' | '.join(VERDICTS)} |")
    head.append(f"|---|---|{'---|' * len(VERDICTS)}")
    for api, done in found.items():
        for library, cells in done.items():
            counts = Counter(asked.verdict for asked in cells.values())
            row = " | ".join(str(counts[name] or "") for name in VERDICTS)
            head.append(f"| {APIS[api]} | {library} | {row} |")
    for api, done in found.items():
        head += ["", f"## {APIS[api]}", "", f"| stream | {' | '.join(done)} |"]
        head.append(f"|---|{'---|' * len(done)}")
        for name in next(iter(done.values())):
            row = " | ".join(_cell(cells[name]) for cells in done.values())
            head.append(f"| {name} | {row} |")
    return "\n".join([*head, ""])


def _tried(versions: dict[str, str]) -> str:
    named = ", ".join(f"{library} {version}" for library, version in versions.items())
    date = datetime.datetime.now(datetime.UTC).date()
    python = f"Python {platform.python_version()}, {platform.system()}"
    return f"Tried {date} with {named}; {python}."


def _cell(asked: Asked) -> str:
    return asked.verdict if asked.verdict == "right" else f"**{asked.verdict}**"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
