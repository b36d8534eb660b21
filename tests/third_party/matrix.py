"""`python -m tests.third_party.matrix`: what clients make of odd streams.

Every stream of the fuzzer's stock, and every dialect and fault of every API, is served
to every library that speaks the API; what the library returns is held against what the
API's own reader reads. Writes the page `docs/pages/reference/matrix.md`. The pinned
libraries are installed where they are missing (`environments.py`). Beside them every
answer is kept, so a run that was stopped goes on where it was: an input is asked again
where it, how it is asked or the pinned releases have changed, or with `--again`.
`--api`, `--library` and `--input TEXT` take a part, which is printed and not written.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import platform
import queue
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from harness.fuzz.served_streams import StreamServer
from tests.third_party.environments import (
    FRAMEWORKS,
    NODE,
    ROOT,
    SDKS,
    around,
    folder_of,
    node_folder_of,
    third_party,
)
from tests.third_party.libraries import LIBRARIES
from tests.third_party.matrix_streams import (
    EACH_S,
    VERDICTS,
    Asked,
    Input,
    inputs,
    verdict,
)

__all__ = ["APIS", "PAGE", "columns"]

PAGE = ROOT / "docs" / "pages" / "reference" / "matrix.md"
APIS = {
    "chat": "Chat Completions",
    "responses": "Responses",
    "anthropic": "Anthropic Messages",
    "gemini": "Gemini",
}
COLUMNS = (*LIBRARIES, "ai")
_START_S = 120.0


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
        limit_s = EACH_S
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


def _pins(library: str) -> tuple[str, ...]:
    if library == "ai":
        return NODE
    is_sdk = any(pin.startswith(f"{LIBRARIES[library][0]}==") for pin in SDKS)
    return SDKS if is_sdk else FRAMEWORKS


def _driver(library: str) -> Path:
    return Path(__file__).with_name(f"libraries.{'mjs' if library == 'ai' else 'py'}")


def worker(library: str, api: str) -> Worker:
    """Return what asks a library in an API."""
    driver, pins = str(_driver(library)), _pins(library)
    if library == "ai":
        folder = node_folder_of(*pins)
        return Worker(["node", driver, str(folder), api], around(folder))
    command = [sys.executable, driver, library, api]
    return Worker(command, around(folder_of(*pins)))


def columns(api: str) -> list[str]:
    """Return the libraries that speak an API."""
    return [name for name in COLUMNS if name == "ai" or api in LIBRARIES[name][1]]


class Kept:
    """What a library answered before, beside the pinned releases."""

    def __init__(self, api: str, library: str) -> None:
        self._path = third_party() / "matrix" / f"{api}-{library}.jsonl"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._made_by = [*_pins(library), _driver(library).read_text("utf-8")]
        self._found: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text("utf-8").splitlines():
                one = json.loads(line)
                self._found[one["key"]] = one

    def key(self, one: Input) -> str:
        """Return what changes with an input and with how it is asked."""
        made = repr([*self._made_by, one.pieces])
        return hashlib.sha256(made.encode()).hexdigest()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the answer, the version and the day."""
        return self._found.get(key)

    def add(self, key: str, version: str, found: dict[str, Any] | None) -> None:
        """Keep an answer."""
        day = str(datetime.datetime.now(datetime.UTC).date())
        one = {"key": key, "version": version, "day": day, "found": found}
        self._found[key] = one
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(one)}\n")


class Column(NamedTuple):
    """What a library did."""

    version: str
    days: set[str]
    cells: dict[str, Asked]


def run(api: str, library: str, wanted: str = "", *, again: bool = False) -> Column:
    """Serve every input to a library, but for those whose answer is kept.

    Args:
        api: In which it is asked.
        library: A name of `COLUMNS`.
        wanted: A part of the names of the inputs.
        again: Ask those that are kept too.
    """
    server, kept = StreamServer(), Kept(api, library)
    column = Column("", set(), {})
    with worker(library, api) as asked:
        for name, one in inputs(api).items():
            if wanted not in name:
                continue
            key = kept.key(one)
            if again or kept.get(key) is None:
                server.pieces = one.pieces
                url = server.base_url(api)
                found = asked.ask(url) or asked.ask(url)  # the machine may be busy
                kept.add(key, asked.version, found)
            answer = kept.get(key)
            assert answer is not None
            column = column._replace(version=answer["version"])
            column.days.add(answer["day"])
            column.cells[name] = verdict(api, one, answer["found"])
    server.close()
    return column


def main(arguments: list[str]) -> int:
    """Write the page, or print a part of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.third_party.matrix")
    parser.add_argument("--library", choices=COLUMNS)
    parser.add_argument("--api", choices=APIS)
    parser.add_argument("--input", default="", help="a part of the name of an input")
    parser.add_argument("--again", action="store_true", help="ask what is kept too")
    given = parser.parse_args(arguments)
    found: dict[str, dict[str, Column]] = {}
    is_part = given.library or given.api or given.input
    for api in APIS:
        for library in columns(api):
            if given.library in {None, library} and given.api in {None, api}:
                column = run(api, library, given.input, again=given.again)
                found.setdefault(api, {})[library] = column
                counts = Counter(asked.verdict for asked in column.cells.values())
                print(f"{api}, {library} {column.version}: {dict(counts)}", flush=True)
                for name, asked in column.cells.items():
                    if is_part or asked.verdict != "right":
                        print(f"  {name}: {asked.verdict} {asked.detail}"[:220])
    if not is_part:
        PAGE.write_text(page(found), encoding="utf-8")
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
`tests/third_party/libraries.py`. Gemini sends `partial-args` only to those that ask for
`streamFunctionCallArguments`; none of these calls does.

{tried}

## In numbers
"""  # noqa: E501 - a page


def page(found: dict[str, dict[str, Column]]) -> str:
    """Return the page."""
    total = sum(len(next(iter(done.values())).cells) for done in found.values())
    words = "\n".join(f"| {name} | {text} |" for name, text in VERDICTS.items())
    head = [_HEAD.format(total=total, words=words, tried=_tried(found))]
    head.append(f"| API | library | {' | '.join(VERDICTS)} |")
    head.append(f"|---|---|{'---|' * len(VERDICTS)}")
    for api, done in found.items():
        for library, column in done.items():
            counts = Counter(asked.verdict for asked in column.cells.values())
            row = " | ".join(str(counts[name] or "") for name in VERDICTS)
            head.append(f"| {APIS[api]} | {library} | {row} |")
    for api, done in found.items():
        head += ["", f"## {APIS[api]}", "", f"| stream | {' | '.join(done)} |"]
        head.append(f"|---|{'---|' * len(done)}")
        for name in next(iter(done.values())).cells:
            row = " | ".join(_cell(column.cells[name]) for column in done.values())
            head.append(f"| {name} | {row} |")
    return "\n".join([*head, ""])


def _tried(found: dict[str, dict[str, Column]]) -> str:
    every = [one for done in found.values() for one in done.items()]
    named = {f"{library} {column.version}": "" for library, column in every}
    days = sorted({day for _, column in every for day in column.days})
    date = " to ".join(dict.fromkeys((days[0], days[-1])))
    python = f"Python {platform.python_version()}, {platform.system()}"
    return f"Tried {date} with {', '.join(named)}; {python}."


def _cell(asked: Asked) -> str:
    return asked.verdict if asked.verdict == "right" else f"**{asked.verdict}**"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
