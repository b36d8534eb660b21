"""Running one example: a fresh consumer, an input, and what came out of it.

A consumer is made anew for every example: a class or factory is called, an object is
copied. So nothing that one example did can show in another. The module's state of a
plain function is its own business; a finding that does not come again is reported as
such.
"""

from __future__ import annotations

import asyncio
import copy
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from harness.agents.letta.light_messages import LightMessage
from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.chat.models import to_model
from harness.debug.folding import fold
from harness.debug.growing_calls import NAMELESS
from harness.debug.outcomes import Outcome
from harness.debug.shown_fields import shape_of
from harness.engine.adapter_base import Mode
from harness.engine.adapters import ListAdapter, adapt
from harness.engine.generator_adapter import GeneratorAdapter
from harness.engine.process_adapter import ProcessAdapter
from harness.errors import UsageError
from harness.fuzz.api_inputs import api_payloads, name_of_api
from harness.fuzz.current_example import CURRENT
from harness.fuzz.raised_places import raised_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.agents.letta.light_messages import MakeMessage

_DATE = datetime(2024, 1, 1, tzinfo=UTC)  # any fixed one: dates are left out
_MESSAGE_ID = "message-fuzz"


class Level(StrEnum):
    """What a consumer is fed with."""

    HANDLER = "handler"
    """Fragments of one call's arguments: `process_json_chunk`."""
    INTERFACE = "interface"
    """Chunks, one by one: `process_chunk`, read by `get_generator` or `to_list`."""
    CHUNKS = "chunks"
    """An iterator of chunks."""
    BYTES = "bytes"
    """An iterator of the bytes of an event stream."""
    URL = "url"
    """The base URL of a server."""

    @property
    def reads_bytes(self) -> bool:
        """Whether it sees how the bytes of the stream were cut."""
        return self in {Level.BYTES, Level.URL}


class Consumer(ABC):
    """A consumer under test: runs one example at a time, each on a fresh object.

    Args:
        make: Makes that object.
        name: How findings call it.
        documented: The exceptions that it means to raise.
        outcome: What of all that it emitted is compared; None takes it as it is.
    """

    level: Level
    """What it is fed with."""
    apis: tuple[str, ...] = ("chat",)
    """The APIs whose events it takes, the first the one that it is fed with."""
    names_api = False
    """Whether it takes the name of the API as its argument `api`."""

    def __init__(
        self,
        make: Callable[[], Any],
        name: str,
        *,
        documented: tuple[type[BaseException], ...] = (),
        outcome: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.name = name
        self.make = make
        self.documented = documented
        self.outcome = outcome
        self.last_error: BaseException | None = None
        """The last one that came out of it, for those who show its traceback."""
        self.last_items: list[Any] = []
        """What it emitted last."""
        self.snapshots: frozenset[object] = frozenset()
        """The shapes of what it emits anew, with all so far in it, for every piece."""

    @abstractmethod
    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Feed it and return its answer; its exceptions are part of that.

        Args:
            fed: Fragments, payloads or pieces of bytes, by its level.
            is_beginning: More would follow: what it emits when it learns that the
                stream is over does not count. A value that it returns does.
        """

    @property
    def api(self) -> str:
        """The API whose events it is fed with."""
        return self.apis[0]

    def named(self, fed: Sequence[Any]) -> tuple[str, dict[str, str]]:
        """Return whose events arrive, and the argument that names it if it has one."""
        api = self.api
        if len(self.apis) > 1:
            api = name_of_api(api_payloads(tuple(fed)), api)
        return api, {"api": api} if self.names_api else {}

    def outcome_of(
        self, items: list[Any], value: Any, error: BaseException | None
    ) -> Outcome:
        """Fold what came out."""
        self.last_error = error or self.last_error
        self.last_items = items
        if self.snapshots:
            last = {*{shape_of(item): n for n, item in enumerate(items)}.values()}
            is_part = (shape_of(item) not in self.snapshots for item in items)
            items = [items[n] for n, is_it in enumerate(is_part) if is_it or n in last]
        raised = None if error is None else raised_of(error, self.documented)
        if self.outcome is not None:
            try:
                made = self.outcome([*items, *([] if value is None else [value])])
            except Exception as failure:
                raise UsageError(
                    f"{self.name}: its outcome(items) raised "
                    f"{type(failure).__name__}: {failure}"
                ) from failure
            return fold([], made, raised=raised)
        return fold(items, value, raised=raised)


class HandlerConsumer(Consumer):
    """`process_json_chunk`, fed the fragments of one object."""

    level = Level.HANDLER

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Feed the fragments; what is returned is the text."""
        del is_beginning  # a handler never learns that it is over
        out: list[Any] = []
        error: Exception | None = None
        try:
            feed = self.make().process_json_chunk
            for fragment in fed:
                piece = feed(fragment)
                if piece:
                    out.append(piece)
        except Exception as raised:  # noqa: BLE001 - whatever a consumer raises
            error = raised
        return self.outcome_of(out, None, error)

    def text_of(self, fed: tuple[str, ...]) -> str | None:
        """Return the text it makes of fragments; None if it is to be looked at.

        The fast way for a campaign: it makes no outcome.
        """
        CURRENT.fed = fed  # the hot loop: the judge is not asked
        if CURRENT.begun is not None:
            CURRENT.begun(fed)
        try:
            feed = self.make().process_json_chunk
            return "".join([piece for f in fed if (piece := feed(f))])
        except Exception:  # noqa: BLE001 - `run` will name which
            return None
        finally:
            CURRENT.fed = None


class OwnInterface(Consumer):
    """Our streaming interface: payloads in, drained without an event loop."""

    level = Level.INTERFACE

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Feed the chunks of one response."""
        interface: StreamingServerInterface | None = None
        error: Exception | None = None
        try:
            interface = self.make()
            interface.streaming_mode = True
            interface.call_id_prefix = NAMELESS
            if type(interface) is StreamingServerInterface and self.outcome is None:
                # As in a replay: only the texts are looked at.
                interface.make = cast("MakeMessage", LightMessage)
            interface.stream_start()
            feed = interface.process_payload
            for payload in fed:
                feed(payload, _MESSAGE_ID, _DATE)
            if not is_beginning:
                interface.stream_end()
        except Exception as raised:  # noqa: BLE001 - whatever a consumer raises
            error = raised
        items = [] if interface is None else interface.drain()
        return self.outcome_of(items, None, error)


class InterfaceConsumer(Consumer):
    """A user's interface that takes chunks, read as the agent loop reads it."""

    level = Level.INTERFACE

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Feed the chunks of one response between the calls of the agent loop."""
        items: list[Any] = []
        error: BaseException | None = None
        try:
            made = adapt(self.make(), self.name, Mode.TOKENS)
            if isinstance(made, GeneratorAdapter):
                run = self._run_async(made, fed, is_beginning=is_beginning)
                return example_loop().run_until_complete(run)
            try:
                for _ in _drive(made, fed, is_beginning=is_beginning):
                    items += made.drain() if not isinstance(made, ListAdapter) else []
            finally:
                items += made.drain()
        except Exception as raised:  # noqa: BLE001 - whatever a consumer raises
            error = raised.__cause__ or raised
        return self.outcome_of(items, None, error)

    async def _run_async(
        self, made: GeneratorAdapter, fed: Sequence[Any], *, is_beginning: bool
    ) -> Outcome:
        items: list[Any] = []
        error: BaseException | None = None
        try:
            steps = _drive(made, fed, is_beginning=is_beginning)
            for number, _ in enumerate(steps):
                if number == 0 or isinstance(made, ProcessAdapter):
                    made.open()
                await made.settle()
                items += made.drain()
            if not is_beginning:
                await made.end()
                items += made.drain()
        except Exception as raised:  # noqa: BLE001 - whatever a consumer raises
            items += made.drain()
            error = raised.__cause__ or raised
        finally:
            await made.cancel()
        return self.outcome_of(items, None, error)


def _drive(made: Any, fed: Sequence[Any], *, is_beginning: bool) -> Iterator[None]:
    """Call what an agent calls for one streamed response, a call a step."""
    made.call("stream_start")
    yield
    for payload in fed:
        if isinstance(made, ProcessAdapter):
            made.feed_chunk(copied(payload))
        else:
            chunk = to_model(copied(payload))
            made.interface.process_chunk(chunk, _MESSAGE_ID, _DATE)
        yield
    if is_beginning:
        return
    made.call("stream_end")
    yield
    made.call("step_complete")
    made.call("step_yield")
    yield


class StepInterface(Consumer):
    """An interface without `process_chunk`, given whole messages by the agent loop."""

    level = Level.INTERFACE

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Replay the chunks as a recording of one response.

        A beginning is nothing: whole messages come when the response is over.
        """
        if is_beginning:
            return Outcome()
        from harness.engine.replay import Replay
        from harness.fuzz.finding_cassettes import cassette_of

        items: list[Any] = []
        error: BaseException | None = None
        try:
            replay = Replay(cassette_of(fed), self.make())
            items += [_spoken(emission.message) for emission in replay]
        except Exception as raised:  # noqa: BLE001 - whatever a consumer raises
            error = raised.__cause__ or raised
        return self.outcome_of([item for item in items if item], None, error)


def _spoken(message: Any) -> Any:
    """Return a message of a queue without what only the recording decides."""
    if isinstance(message, dict):
        if "function_return" in message:
            return None  # a result that was not recorded is no part of the response
        return {k: v for k, v in message.items() if k not in {"id", "date"}}
    return message


_LOOP: list[asyncio.AbstractEventLoop] = []


def example_loop() -> asyncio.AbstractEventLoop:
    """Return the loop of this process's examples; making one costs 0.3 ms."""
    if not _LOOP or _LOOP[0].is_closed():
        _LOOP[:] = [asyncio.new_event_loop()]
    return _LOOP[0]


def copied(value: Any) -> Any:
    """Copy a JSON value; a consumer may change what it was given."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if type(value) is list else value


def fresh(target: Any, name: str) -> Callable[[], Any]:
    """Return what makes a fresh copy of an object for every example.

    Args:
        target: The object.
        name: How an error calls it.

    Raises:
        UsageError: It cannot be copied.
    """
    try:
        copy.deepcopy(target)
    except Exception as error:
        raise UsageError(
            f"{name} is an object that cannot be copied ({type(error).__name__}: "
            f"{error}), and every example needs a fresh one; name its class or a "
            "factory instead"
        ) from error
    return lambda: copy.deepcopy(target)
