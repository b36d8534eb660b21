"""What the installed SDKs of the vendors make of a recording.

An SDK is imported when a recording of its API is first read, and gets the recorded
bytes in the recorded pieces through its own client and a transport that never opens a
socket: reading, parsing and accumulating are all its own. Nothing of what it does is
judged here. Owns what the readers share; each vendor has a module beside this one.
"""

from __future__ import annotations

import importlib
import json
import re
import warnings
from abc import ABC, abstractmethod
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from harness.cassettes.classify import Kind, classify
from harness.core.accumulate import AccumulatedMessage
from harness.debug.arrival import arrivals
from harness.engine.summary import summarise_exchange
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from harness.cassettes.model import Cassette, Exchange

SDK_NAMES = {
    "openai": ("chat", "responses"),
    "anthropic": ("anthropic",),
    "google-genai": ("gemini",),
}
"""The APIs that each SDK reads, by the name of its package."""

_MODULES = {"google-genai": "google"}  # where it is not the package's name
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_ERROR_SHOWN = 200  # characters of the first line of an error


class Sdk(ABC):
    """An installed SDK, ready to read.

    Raises:
        UsageError: It is not installed, or too old.
    """

    name: ClassVar[str]
    """Its package; also the name of the file that keeps its reading."""
    title: ClassVar[str]
    """How a message names it."""

    def __init__(self) -> None:
        self.playing: Exchange | None = None
        """What the transport answers with."""
        try:
            with warnings.catch_warnings():  # of its dependencies, on import
                warnings.simplefilter("ignore")
                self._connect()
        except ImportError as error:
            raise UsageError(
                f"{self.title} is not installed, or too old ({error}): pip install "
                f"-U {self.name}, or leave it out with --no-sdk"
            ) from None
        packages = (self.name, "pydantic")  # the second does the SDK's parsing
        self.versions = {name: metadata.version(name) for name in packages}
        """The version of each package that has a say in what is read."""

    @abstractmethod
    def _connect(self) -> None:
        """Import the SDK and make its client."""

    @abstractmethod
    def read_stream(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a streamed answer; `playing` is set to it."""

    @abstractmethod
    def read_whole(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read an answer that was not streamed; `playing` is set to it."""

    def read(self, cassette: Cassette) -> list[dict[str, Any]]:
        """Read every answer of a cassette that is of one of the SDK's APIs.

        Args:
            cassette: A cassette that can be read again (no pipe).

        Returns:
            For each such exchange plain JSON data: `exchange`; `chunks`, how many
            events the SDK yielded (None for a whole answer); the answer as it
            accumulated it, in its own words; `raised`, what it raised and while
            doing what; `invalid`, fields that its own types do not allow; `altered`,
            events that it does not hand on as they were sent; `agrees`, whether
            text, calls and finish are those that harness reads.
        """
        found = []
        for exchange in cassette.exchanges:
            kind, _, api = classify(exchange)
            if api not in SDK_NAMES[self.name] or kind is Kind.OTHER:
                continue
            read = self.read_stream if kind is Kind.STREAM else self.read_whole
            self.playing = exchange
            with warnings.catch_warnings():  # pydantic's, of odd content
                warnings.simplefilter("ignore")
                found.append({"exchange": exchange.index, **read(exchange, api)})
        return found

    def transport(self, http: ModuleType) -> Any:
        """Return a transport that answers every request with what is `playing`.

        Args:
            http: `httpx` or `httpx2`, whichever the SDK is built on.
        """

        def body(exchange: Exchange) -> Iterator[bytes]:
            for _, data in exchange.response.iter_wire():
                yield data
            ended = exchange.response.ended
            if ended is not None and ended.kind == "error":
                raise http.RemoteProtocolError(ended.message or ended.error)

        def answer(_request: object) -> Any:
            exchange = self.playing
            assert exchange is not None
            is_stream = classify(exchange).kind is Kind.STREAM
            # Recorded content types may be lost or wrong; how a body is read is not
            # asked.
            kind = "text/event-stream" if is_stream else "application/json"
            return http.Response(
                200, headers={"content-type": kind}, content=body(exchange)
            )

        return http.MockTransport(answer)


class Sdks:
    """The SDKs that recordings need, each imported when the first of them is read.

    Args:
        on_missing: Called once for each that is not installed, with the reason.
    """

    def __init__(self, on_missing: Callable[[str], None]) -> None:
        self._on_missing = on_missing
        self._known: dict[str, Sdk | None] = {}

    def of(self, cassette: Cassette) -> list[Sdk]:
        """Return those of the APIs that a cassette holds answers of."""
        apis = {classify(exchange).api for exchange in cassette.exchanges}
        wanted = (name for name, own in SDK_NAMES.items() if apis.intersection(own))
        return [sdk for name in wanted if (sdk := self._named(name)) is not None]

    def _named(self, name: str) -> Sdk | None:
        if name not in self._known:
            module = importlib.import_module(
                f"harness.debug.sdk_{_MODULES.get(name, name)}"
            )
            try:
                self._known[name] = module.SDK()
            except UsageError as error:
                self._known[name] = None
                self._on_missing(str(error))
        return self._known[name]


class Heard:
    """What an SDK yields of a stream, event by event, against what was sent.

    Args:
        exchange: The stream.
        kept_back: The `type` of events that it never hands on.
    """

    def __init__(self, exchange: Exchange, kept_back: str = "") -> None:
        self._sent = [
            one.payload
            for one in arrivals(exchange)
            if not kept_back or (one.payload or {}).get("type") != kept_back
        ]
        self._altered: list[int] = []
        self._problems: dict[str, list[int]] = {}
        self.count = 0
        self.raised: list[dict[str, Any]] = []

    def hear(
        self,
        events: Callable[[], Iterable[Any]],
        as_sent: Callable[[Any], dict[str, Any]],
        problems: Callable[[Any, dict[str, Any]], list[str]],
    ) -> Iterator[Any]:
        """Yield the SDK's events; what it raises ends them and is noted."""
        try:
            for event in events():
                data = as_sent(event)
                if self.count < len(self._sent) and data != self._sent[self.count]:
                    self._altered.append(self.count)
                for problem in dict.fromkeys(problems(event, data)):
                    self._problems.setdefault(problem, []).append(self.count)
                yield event
                self.count += 1
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.note("reading", self.count, error)

    def note(self, doing: str, number: int | None, error: Exception) -> None:
        """Note what the SDK raised, unless the same was noted of its reading."""
        lines = str(error).splitlines() or [""]
        text = _ADDRESS.sub("0x…", lines[0])[:_ERROR_SHOWN]
        shown = f"{type(error).__name__}: {text}".rstrip(": ")
        if all(one["error"] != shown for one in self.raised):
            self.raised.append({"while": doing, "chunk": number, "error": shown})

    def report(self, answer: dict[str, Any], *, agrees: bool) -> dict[str, Any]:
        """Return what is stored of the exchange."""
        first = self._altered[:1]
        return {
            "chunks": self.count,
            **answer,
            "raised": self.raised,
            "invalid": [
                {"problem": problem, "chunks": len(numbers), "first": numbers[0]}
                for problem, numbers in sorted(self._problems.items())
            ],
            "altered": (
                {"chunks": len(self._altered), "first": first[0]} if first else None
            ),
            "agrees": agrees,
        }

    def report_whole(
        self, answer: dict[str, Any], problems: list[str], *, agrees: bool
    ) -> dict[str, Any]:
        """Return what is stored of an answer that was not streamed."""
        return {
            "chunks": None,
            **answer,
            "raised": self.raised,
            "invalid": [{"problem": problem} for problem in sorted({*problems})],
            "altered": None,
            "agrees": agrees,
        }


def plain(model: Any) -> dict[str, Any]:
    """Return an object of OpenAI's or Anthropic's SDK as JSON data."""
    data: dict[str, Any] = model.to_dict(mode="json")
    return data


def problems_of(model: Any, data: dict[str, Any]) -> list[str]:
    """Return what the SDK's own type does not allow: a path and pydantic's code.

    Of a union the place alone: each of its dozens of members has its own complaint.
    """
    from pydantic import ValidationError

    found = []
    try:
        type(model).model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            path = [str(part) for part in one["loc"]]
            end = next((n for n, part in enumerate(path) if part[:1].isupper()), None)
            kind = one["type"] if end is None else "union"
            found.append(f"{'.'.join(path[:end])}: {kind}")
    return list(dict.fromkeys(found))


def harness_reads(exchange: Exchange) -> AccumulatedMessage:
    """Return what harness reads of choice 0."""
    return summarise_exchange(exchange).choices.get(0, AccumulatedMessage())


def agrees(
    exchange: Exchange,
    text: str,
    calls: list[tuple[str, Any]],
    finish: str | None,
    *,
    are_parsed: bool = False,
) -> bool:
    """Return whether an SDK reads what harness reads: text, calls and finish.

    Args:
        exchange: What both read.
        text: The SDK's text.
        calls: Its calls: the name, and the arguments as text.
        finish: Why the answer ended, in the API's words.
        are_parsed: Whether the arguments are JSON values instead.
    """
    ours = harness_reads(exchange)
    own = [
        (one.name, _value(one.arguments) if are_parsed else one.arguments)
        for one in ours.calls
    ]
    return (text, calls, finish) == (ours.content, own, ours.finish_reason)


def _value(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}", strict=False)
    except ValueError:
        return arguments
