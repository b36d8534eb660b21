"""The seam: what harness asks of an API, and the neutral form of its requests.

An API is one folder beside this file with the same modules in each:

- `reader`: events to parts (`Reader`), whole answers to parts.
- `request`: request bodies to a `Conversation`.
- `tables.txt`: its tables (`harness.apis.tables`): every field that a reader carries
  or knows, what a legal stream obeys (`harness check`), dialects, faults.
  `known_fields` and `rules` are those parsed.
- `writer`, `dialects`, `faults`: parts to events, as different servers send them.
- `api`: the object that ties them together (`API`).
- `examples.json`: small streams of every shape (`harness.apis.examples`).

An API knows no other API. Nothing outside this package names a wire key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from harness.core.fielded import Fielded
from harness.core.parts import CallPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from harness.apis.dialects import Dialect
    from harness.apis.faults import Fault
    from harness.apis.rule_checker import RuleChecker
    from harness.core.parts import Part, Reasoning, Refusal, Text, ToolCall


Payload = dict[str, Any]
"""The JSON object of one event, as sent."""


# Not frozen: one is made for every event, in a third of the time.
@dataclass(slots=True, eq=False, repr=False)
class Event(Fielded):
    """One parsed event of a stream."""

    index: int
    """Its number in the stream, from 0; terminators such as `[DONE]` not counted."""
    name: str
    """The `event:` field; empty where none was sent."""
    payload: Payload


class Like(NamedTuple):
    """How events are read that differ from the last one in one text."""

    field: str
    """The key of that text."""
    read: Callable[[str], Text | Reasoning | Refusal | CallPart]
    """Does with another text, not empty, what `Reader.feed` would; returns its part."""
    ignored: tuple[str, ...] = ()
    """Keys of the event itself whose number or text is known and never read."""


def further_arguments(call: ToolCall) -> Callable[[str], CallPart]:
    """Return what reads a fragment that can only continue this call."""

    def read(fragment: str) -> CallPart:
        call.add_arguments(fragment)
        return CallPart(call, "", fragment, is_new=False)

    return read


class Reader(Protocol):
    """The state of one streamed response.

    Never raises on a shape it does not know: what is odd comes out as a `Problem`.
    Cost per event is O(size of the event), whatever came before.
    """

    @property
    def is_finished(self) -> bool:
        """Whether the event that ends a response has come (not a mere finish)."""

    def feed(self, event: Event) -> list[Part]:
        """Read one event; return what is new, in order, empty if nothing."""

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read what differs from the event just fed in its text alone.

        Args:
            event: The event just fed.
            part: Its result, after what stands in front of a first text alone.

        Returns:
            None where the next such event may mean something else, or has something
            that must be reported of each.
        """

    def close(self) -> list[Part]:
        """The stream is over: return what was still held back, and what is missing.

        Includes a `Problem` for a missing terminal event and the `Problem`s of unread
        fields. Called once; the connection's own ending is reported by the caller.
        """


class WrittenEvent(NamedTuple):
    """One event that a writer made."""

    name: str
    """For the `event:` line; empty where the API sends none."""
    payload: Payload


class Writer(Protocol):
    """Writes the parts of one response as the events of an API."""

    @property
    def left_out(self) -> dict[str, int]:
        """What this API cannot carry and how often it came, such as `refusal`.

        The command that writes lists it: nothing is left out in silence.
        """

    def feed(self, parts: list[Part]) -> list[WrittenEvent]:
        """Write the parts of one event; may hold back what is not decided yet."""

    def close(self) -> list[WrittenEvent]:
        """Write what was held back and what ends a response."""


class RequestedCall(NamedTuple):
    """A call in an assistant turn of a request."""

    id: str
    name: str
    arguments: str
    """JSON text, or the input of a custom tool."""


class ToolOutput(NamedTuple):
    """The result of a call, as a request carries it."""

    call_id: str
    """Empty where the API has no ids (Gemini)."""
    text: str
    """Verbatim; the texts of a list of parts joined; an object as JSON."""
    name: str = ""
    """The tool's name where the API repeats it."""
    is_error: bool | None = None
    """Where the API has a field for it; None where it has not."""
    beside: tuple[str, ...] = ()
    """The kinds of the parts that are not in `text`, such as `image`."""


class Turn(NamedTuple):
    """One message of a request."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""
    text: str = ""
    calls: tuple[RequestedCall, ...] = ()
    outputs: tuple[ToolOutput, ...] = ()
    own: Any = None
    """The API's own JSON of the turn, without what clients move about from request to
    request (cache markers): two turns are the same if this is equal."""


class Conversation(NamedTuple):
    """What a request carries, in the one neutral form."""

    turns: tuple[Turn, ...]
    previous_id: str = ""
    """The id of the response that it continues, where the server keeps the turns."""
    model: str = ""
    tools: tuple[str, ...] = ()
    """The names of the tools on offer."""


class Rule(NamedTuple):
    """One thing that a legal stream of an API obeys."""

    name: str
    """Such as `anthropic/block-stopped`; `harness check --rules` lists it."""
    summary: str
    """One line: what is required."""
    source: str
    """Where it is documented, or the recordings or thread that show it."""


class Violation(NamedTuple):
    """A rule that a stream breaks."""

    rule: Rule
    event: int | None
    """Number of the event; None where it is about the end."""
    expected: str
    got: str


class Api(Protocol):
    """One streaming format an agent can consume."""

    name: str
    """`chat`, `responses`, `anthropic` or `gemini`."""
    title: str
    """How a message names it, such as `OpenAI Responses`."""
    checker: type[RuleChecker] | None = None
    """What holds a stream against the API's rules; None where it has none."""
    has_event_names: bool
    """Whether `event:` lines repeat the type of each event."""

    def is_event(self, name: str, payload: Payload) -> bool:
        """Return whether an event can only be this API's (errors often cannot)."""

    def is_answer(self, document: Any) -> bool:
        """Return whether a JSON document is a whole answer or an error of this API."""

    def is_request(self, uri: str, body: Payload) -> bool:
        """Return whether a request is meant for this API."""

    def reader(self) -> Reader:
        """Return a reader for one response."""

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed, all choices of it."""

    def request(self, uri: str, body: Payload) -> Conversation:
        """Read a request body."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What a stream has to obey, in the order of a help text."""
        return () if self.checker is None else tuple(self.checker.rules.values())

    def check(self, events: Iterable[Event]) -> Iterator[Violation]:
        """Hold a stream against the rules, if there are any; lazily, one pass."""
        return iter(()) if self.checker is None else self.checker().check(events)


class WritingApi(Api, Protocol):
    """An API that answers can be written in, too."""

    dialects: Mapping[str, Dialect]
    """The dialects by name, the standard one first."""
    faults: Mapping[str, Fault]
    """The ways to go wrong, by name."""

    def body(self, parts: list[Part]) -> Payload:
        """Write a whole answer that is not streamed."""
