"""What the installed OpenAI SDK makes of a recording.

The SDK is imported when it is first asked, and gets the recorded bytes in the recorded
pieces through its own client and a transport that never opens a socket: reading,
parsing and accumulating are all its own. Nothing of what it does is judged here.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections import Counter
from importlib import metadata
from typing import TYPE_CHECKING, Any

from harness.apis.chat.reader import ResponseAccumulator
from harness.cassettes.classify import Kind, classify
from harness.debug.arrival import arrivals
from harness.engine.stream import read_whole
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai.types.chat import ChatCompletionChunk

    from harness.cassettes.model import Cassette, Exchange

__all__ = ["Sdk", "harness_says"]

_PACKAGES = ("openai", "pydantic")  # the second does the SDK's parsing
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_ERROR_SHOWN = 200  # characters of the first line of an error


class Sdk:
    """The installed SDK, ready to read.

    Raises:
        UsageError: It is not installed.
    """

    def __init__(self) -> None:
        try:
            import openai
            from openai.lib.streaming.chat import ChatCompletionStreamState
        except ImportError as error:
            raise UsageError(
                f"the OpenAI SDK is not installed, or too old ({error}): pip install "
                "-U openai, or leave it out with --no-sdk"
            ) from None
        self._accumulator: Callable[[], Any] = ChatCompletionStreamState
        self.versions = {name: metadata.version(name) for name in _PACKAGES}
        """The version of each package that has a say in what is read."""
        base = openai.DefaultHttpxClient
        roots = [kind.__module__.partition(".")[0] for kind in base.__mro__]
        # httpx until openai 2, httpx2 since 3; whichever it is built on.
        self._http: Any = importlib.import_module(
            next(root for root in roots if root.startswith("httpx"))
        )
        self._exchange: Exchange | None = None
        self._client = openai.OpenAI(
            api_key="unused",
            base_url="http://recorded.invalid/v1",
            max_retries=0,
            http_client=base(transport=self._http.MockTransport(self._answer)),
        )

    def read(self, cassette: Cassette) -> list[dict[str, Any]]:
        """Read every chat completion of a cassette.

        Args:
            cassette: A cassette that can be read again (no pipe).

        Returns:
            For each exchange that is one, plain JSON data: `exchange`; `chunks`, how
            many the SDK yielded (None for a whole completion); `choices`, each with
            `message` and `finish_reason`, as it accumulated them; `usage`; `raised`,
            what it raised and while doing what; `invalid`, fields that its own types
            do not allow; `altered`, chunks that it does not hand on as they were
            sent; `agrees`, whether text, calls and finish are those that harness
            reads.
        """
        readers = {Kind.STREAM: self._read_stream, Kind.WHOLE: self._read_whole}
        found = []
        for exchange in cassette.exchanges:
            kind, _, api = classify(exchange)
            reader = readers.get(kind) if api == "chat" else None
            if reader is not None:
                with warnings.catch_warnings():  # pydantic's, of odd content
                    warnings.simplefilter("ignore")
                    found.append({"exchange": exchange.index, **reader(exchange)})
        return found

    def _answer(self, _request: object) -> Any:
        exchange = self._exchange
        assert exchange is not None
        is_stream = classify(exchange).kind is Kind.STREAM
        # Recorded content types may be lost or wrong; how a body is read is not asked.
        kind = "text/event-stream" if is_stream else "application/json"
        return self._http.Response(
            200, headers={"content-type": kind}, content=self._body(exchange)
        )

    def _body(self, exchange: Exchange) -> Iterator[bytes]:
        for _, data in exchange.response.iter_wire():
            yield data
        ended = exchange.response.ended
        if ended is not None and ended.kind == "error":
            raise self._http.RemoteProtocolError(ended.message or ended.error)

    def _read_stream(self, exchange: Exchange) -> dict[str, Any]:
        self._exchange = exchange
        sent = [arrival.payload for arrival in arrivals(exchange)]
        state = _State(self._accumulator())
        altered: list[int] = []
        raised = []
        count = 0
        try:
            answer: Any = self._client.chat.completions.create(
                model="recorded", messages=[], stream=True
            )
            for chunk in answer:
                data = _plain(chunk)
                if count < len(sent) and data != sent[count]:
                    altered.append(count)
                state.feed(chunk, data, count)
                count += 1
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            raised.append(_raised("reading", count, error))
        completion = state.close(count)
        return {
            "chunks": count,
            **_said(completion),
            "raised": [*raised, *state.raised],
            "invalid": state.invalid(),
            "altered": (
                {"chunks": len(altered), "first": altered[0]} if altered else None
            ),
            "agrees": _agrees(completion, exchange),
        }

    def _read_whole(self, exchange: Exchange) -> dict[str, Any]:
        self._exchange = exchange
        completion: dict[str, Any] = {}
        raised = []
        invalid: list[dict[str, Any]] = []
        try:
            answer: Any = self._client.chat.completions.create(
                model="recorded", messages=[]
            )
            completion = _plain(answer)
            counts = Counter(_problems(type(answer), completion))
            invalid = [{"problem": problem} for problem in sorted(counts)]
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            raised.append(_raised("reading", None, error))
        return {
            "chunks": None,
            **_said(completion),
            "raised": raised,
            "invalid": invalid,
            "altered": None,
            "agrees": _agrees(completion, exchange),
        }


class _State:
    """The SDK's accumulator, until it raises, and what its types think of chunks."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self._is_fed = False
        self._problems: dict[str, list[int]] = {}
        self.raised: list[dict[str, Any]] = []

    def feed(
        self, chunk: ChatCompletionChunk, data: dict[str, Any], number: int
    ) -> None:
        for problem in dict.fromkeys(_problems(type(chunk), data)):
            self._problems.setdefault(problem, []).append(number)
        if self.raised:
            return
        try:
            list(self._state.handle_chunk(chunk))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.raised.append(_raised("accumulating", number, error))
        self._is_fed = True

    def close(self, count: int) -> dict[str, Any]:
        """Return the completion as far as it came; empty if it broke or none came."""
        if self.raised or not self._is_fed:
            return {}
        completion: dict[str, Any] = {}
        try:
            completion = _plain(self._state.current_completion_snapshot)
            self._state.get_final_completion()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            self.raised.append(_raised("completing", count, error))
        return completion

    def invalid(self) -> list[dict[str, Any]]:
        return [
            {"problem": problem, "chunks": len(numbers), "first": numbers[0]}
            for problem, numbers in sorted(self._problems.items())
        ]


def _plain(model: Any) -> dict[str, Any]:
    """Return an object of the SDK as JSON data, without what it adds itself."""
    data: dict[str, Any] = model.to_dict(mode="json")
    return data


def _problems(model: Any, data: dict[str, Any]) -> list[str]:
    """Return what the SDK's own type does not allow: a path and pydantic's code."""
    from pydantic import ValidationError

    try:
        model.model_validate(data)
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors()
        ]
    return []


def _raised(doing: str, chunk: int | None, error: Exception) -> dict[str, Any]:
    lines = str(error).splitlines() or [""]
    text = _ADDRESS.sub("0x…", lines[0])[:_ERROR_SHOWN]
    return {
        "while": doing,
        "chunk": chunk,
        "error": f"{type(error).__name__}: {text}".rstrip(": "),
    }


def _said(completion: dict[str, Any]) -> dict[str, Any]:
    choices = []
    for choice in completion.get("choices") or []:
        message = dict(choice.get("message") or {})
        message.pop("parsed", None)
        for call in message.get("tool_calls") or []:
            if isinstance(call.get("function"), dict):
                call["function"].pop("parsed_arguments", None)
        choices.append(
            {"message": message, "finish_reason": choice.get("finish_reason")}
        )
    return {"choices": choices, "usage": completion.get("usage")}


def harness_says(exchange: Exchange) -> dict[str, Any]:
    """Return what harness reads of choice 0: `content`, `calls`, `finish_reason`."""
    accumulator = ResponseAccumulator()
    if classify(exchange).kind is Kind.WHOLE:
        accumulator.feed(read_whole(exchange, "chat").payload)
    else:
        for arrival in arrivals(exchange):
            accumulator.feed(arrival.payload or {})
    message = accumulator.message()
    return {
        "content": message.content,
        "calls": [[call.name, call.arguments] for call in message.calls],
        "finish_reason": message.finish_reason,
    }


def _agrees(completion: dict[str, Any], exchange: Exchange) -> bool:
    choices = completion.get("choices") or [{}]
    message = choices[0].get("message") or {}
    functions = [one.get("function") or {} for one in message.get("tool_calls") or []]
    said = {
        "content": message.get("content") or "",
        "calls": [[f.get("name") or "", f.get("arguments") or ""] for f in functions],
        "finish_reason": choices[0].get("finish_reason"),
    }
    return said == harness_says(exchange)
