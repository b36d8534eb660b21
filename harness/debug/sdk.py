"""What the installed SDKs of the vendors make of a recording.

An SDK is imported when a recording of its API is first read, and gets the recorded
bytes in the recorded pieces through its own client and a transport that never opens a
socket: reading, parsing and accumulating are all its own. Nothing of what it does is
judged here. Owns what the readers share; each vendor has a module beside this one.
"""

from __future__ import annotations

import importlib
import re
import warnings
from abc import ABC, abstractmethod
from collections import deque
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.json_values import parsed
from harness.cassettes.classify import Kind, classify
from harness.core.accumulate import AccumulatedMessage
from harness.debug.raw_events import raw_events
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

SDK_TITLES = {
    "openai": "the OpenAI SDK",
    "anthropic": "the Anthropic SDK",
    "google-genai": "the Google Gen AI SDK",
}
"""How a message names each."""

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
    kept_back: ClassVar[str] = ""
    """The type of events that it does not hand on."""
    parses_arguments: ClassVar[bool] = False
    """Whether it shows the arguments of a call as JSON values."""

    def __init__(self) -> None:
        self.playing: Exchange | None = None
        """What the transport answers with."""
        try:
            with warnings.catch_warnings():  # of its dependencies, on import
                warnings.simplefilter("ignore")
                self._connect()
        except ImportError as error:
            raise UsageError(
                f"{SDK_TITLES[self.name]} is not installed, or too old ({error}): pip "
                f"install -U {self.name}, or leave it out with --no-sdk"
            ) from None
        packages = (self.name, "pydantic")  # the second does the SDK's parsing
        self.versions = {name: metadata.version(name) for name in packages}
        """The version of each package that matters to what is read."""

    @abstractmethod
    def _connect(self) -> None:
        """Import the SDK and make its client."""

    @abstractmethod
    def ask(self, api: str) -> Any:
        """Return the SDK's object of what is `playing`, which was not streamed."""

    @abstractmethod
    def accumulate(self, heard: Heard, api: str) -> dict[str, Any]:
        """Read the stream that is `playing`; return what the SDK makes of it."""

    @abstractmethod
    def kept(self, answer: dict[str, Any], api: str) -> dict[str, Any]:
        """Return what is kept of an answer, without what the SDK adds itself."""

    @abstractmethod
    def content_of(
        self, answer: dict[str, Any], api: str
    ) -> tuple[str, list[tuple[Any, Any]], str | None]:
        """Return its text, its calls and why it ended, in the API's words."""

    def as_sent(self, model: Any) -> dict[str, Any]:
        """Return an object of the SDK as JSON data, as the API names its fields."""
        data: dict[str, Any] = model.to_dict(mode="json")
        return data

    def problems(self, model: Any, data: dict[str, Any]) -> list[str]:
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
                end = next(
                    (n for n, name in enumerate(path) if name[:1].isupper()), None
                )
                kind = one["type"] if end is None else "union"
                found.append(f"{'.'.join(path[:end])}: {kind}")
        return list(dict.fromkeys(found))

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
            self.playing = exchange
            heard = Heard(exchange, self, is_whole=kind is Kind.WHOLE)
            with warnings.catch_warnings():  # pydantic's, of odd content
                warnings.simplefilter("ignore")
                if heard.is_whole:
                    answer = heard.whole(lambda api=api: self.ask(api))  # type: ignore[misc]  # default binds it
                else:
                    answer = self.accumulate(heard, api)
                kept = self.kept(answer, api)
                agrees = self._agrees(exchange, *self.content_of(answer, api))
            report = heard.report(kept, agrees=agrees)
            found.append({"exchange": exchange.index, **report})
        return found

    def _agrees(
        self,
        exchange: Exchange,
        text: str,
        calls: list[tuple[Any, Any]],
        finish: str | None,
    ) -> bool:
        """Return whether the SDK reads what harness reads of choice 0."""
        ours = harness_reads(exchange)
        own = [
            (
                one.name,
                parsed(one.arguments or "{}", one.arguments)
                if self.parses_arguments
                else one.arguments,
            )
            for one in ours.calls
        ]
        return (text, calls, finish) == (ours.content, own, ours.finish_reason)

    def client(self, base: Any) -> Any:
        """Return a client of an SDK's own class over what is `playing`."""
        roots = [kind.__module__.partition(".")[0] for kind in base.__mro__]
        # httpx until openai 2, httpx2 since 3; whichever it is built on.
        http = next(root for root in roots if root.startswith("httpx"))
        return base(transport=self._transport(importlib.import_module(http)))

    def _transport(self, http: ModuleType) -> Any:
        """Return a transport that answers every request with what is `playing`."""

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

    def __init__(self, exchange: Exchange, sdk: Sdk, *, is_whole: bool = False) -> None:
        self._sdk = sdk
        self._sent = [
            one.payload
            for one in ([] if is_whole else raw_events(exchange))
            if not sdk.kept_back or (one.payload or {}).get("type") != sdk.kept_back
        ]
        self.is_whole = is_whole
        """Whether the answer was not streamed."""
        self._altered: list[int] = []
        self._problems: dict[str, list[int]] = {}
        self.count = 0
        self.raised: list[dict[str, Any]] = []

    def whole(self, ask: Callable[[], Any]) -> dict[str, Any]:
        """Return an answer that was not streamed; empty where the SDK raised."""
        answer: dict[str, Any] = {}
        try:
            model = ask()
            answer = self._sdk.as_sent(model)
            self._problems = {one: [] for one in self._sdk.problems(model, answer)}
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.note("reading", None, error)
        return answer

    def hear(self, events: Callable[[], Iterable[Any]]) -> Iterator[Any]:
        """Yield the SDK's events; what it raises ends them and is noted."""
        try:
            for event in events():
                data = self._sdk.as_sent(event)
                if self.count < len(self._sent) and data != self._sent[self.count]:
                    self._altered.append(self.count)
                for problem in dict.fromkeys(self._sdk.problems(event, data)):
                    self._problems.setdefault(problem, []).append(self.count)
                yield event
                self.count += 1
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.note("reading", self.count, error)

    def hear_twice(
        self,
        events: Callable[[], Iterable[Any]],
        helped: Callable[[], Any],
        take: Callable[[Any, Any], bool],
        final: str,
    ) -> None:
        """Read a stream's events, then once more with the SDK's helper.

        Args:
            events: Asks for the events.
            helped: Asks for the stream of the helper.
            take: Takes that stream and an event of it; returns whether one was sent.
            final: The helper's method that returns the whole answer.
        """
        deque(self.hear(events), 0)
        number, doing = 0, "accumulating"
        try:
            with helped() as stream:
                for event in stream:
                    number += take(stream, event)
                doing = "completing"
                getattr(stream, final)()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.note(doing, number, error)

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
            "chunks": None if self.is_whole else self.count,
            **answer,
            "raised": self.raised,
            "invalid": [
                {
                    "problem": problem,
                    **({"chunks": len(at), "first": at[0]} if at else {}),
                }
                for problem, at in sorted(self._problems.items())
            ],
            "altered": (
                {"chunks": len(self._altered), "first": first[0]} if first else None
            ),
            "agrees": agrees,
        }


def harness_reads(exchange: Exchange) -> AccumulatedMessage:
    """Return what harness reads of choice 0."""
    return summarise_exchange(exchange).choices.get(0, AccumulatedMessage())
