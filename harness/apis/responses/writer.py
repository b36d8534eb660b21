"""Parts to Responses events, as OpenAI sends them.

What the API cannot carry is counted in `Writer.left_out`. A response without a finish
is left open: what was cut in the source stays cut. Items are written one after the
other; a call stays open while its arguments can go on, so that calls whose fragments
are interleaved overlap here too.

Ids that the source has not are derived from the response's id and the place in the
output, so that two runs write the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.apis.counts import other_counts
from harness.apis.responses.serving import ServerWriter
from harness.apis.responses.state import TEXT_KINDS
from harness.apis.responses.written import (
    CallItem,
    TextItem,
    is_own_usage,
    response_object,
    usage_object,
)
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from harness.apis.base import Payload, WrittenEvent

NO_ID = "resp_0"
"""The id of a response whose source has none."""


_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
_OWN = ("id", "created_at", "status", "model", "output")
_KNOWN = {"stop", "tool_calls", "function_call", "completed"}
_ENDS = ("completed", "incomplete", "failed", "cancelled")
_CODE = re.compile(r"([a-z0-9_]+): (.*)", re.DOTALL)


class Writer(ServerWriter):
    """Writes the parts of one response.

    Args:
        reasoning: The kind of part that reasoning becomes: `summary_text` (OpenAI) or
            `reasoning_text` (servers of open models).
    """

    def __init__(self, *, reasoning: str = "summary_text") -> None:
        super().__init__()
        self.reasoning = TEXT_KINDS[reasoning]
        self._head = Head()
        self._has_begun = False
        self._usage = Usage({})
        self._finish: Finish | None = None
        self._error: dict[str, Any] | None = None
        self._has_error_event = False  # one came by itself, before any finish
        self._response: Payload = {}

    @property
    def response(self) -> Payload:
        """The response so far, as one object; complete after `close`."""
        return self._response or self._whole("in_progress")

    def feed(self, parts: list[Part]) -> list[WrittenEvent]:
        """Write the parts of one event; see `harness.apis.base.Writer`."""
        for part in parts:
            self._write(part)
        self._has_error_event |= self._error is not None and self._finish is None
        return self._flush()

    def close(self) -> list[WrittenEvent]:
        """Write what was held back, and the end of the response if there was one."""
        self.begin()
        self.add_waiting()
        if self._finish is not None:
            self._end(self._finish)
        elif self._error is not None:
            self._leave_usage()
            error = {"code": None, "param": None, **self._error}
            self._event("error", **error)
        else:
            self._leave_usage()
        return self._flush()

    def _leave_usage(self) -> None:
        if self._usage.counts:
            self.left_out["token count"] += 1

    def _flush(self) -> list[WrittenEvent]:
        events, self._events = self._events, []
        return events

    def _write(self, part: Part) -> None:
        match part:
            case Text() | Reasoning() | Refusal():
                self.add_text(self._kind_of(part), part.text)
            case CallPart():
                self.add_fragment(part)
            case Block():
                self.block(part)
            case Opaque():
                self.seal(part)
            case Item():
                self.item(part)
            case OtherChoice():
                self.left_out["other choice"] += 1
            case _:
                self._note(part)

    def _kind_of(self, part: Text | Reasoning | Refusal) -> str:
        if type(part) is Reasoning:
            return self.reasoning.name
        return "output_text" if type(part) is Text else "refusal"

    def _note(self, part: Head | Usage | Finish | Problem) -> None:
        """Keep what the response object states."""
        match part:
            case Head():
                self._identify(part)
            case Usage():
                if not is_own_usage(part.counts) and other_counts(part):
                    self.left_out["token count"] += 1
                known = self._usage
                self._usage = Usage(
                    {**known.counts, **part.counts},
                    *(
                        one if new is None else new
                        for one, new in zip(
                            _neutral(known), _neutral(part), strict=True
                        )
                    ),
                )
            case Finish():
                self.add_waiting()
                self._finish = part
            case Problem():
                if part.kind == DiagnosticKind.ERROR_EVENT and self._error is None:
                    found = _CODE.fullmatch(part.text)
                    code, text = found.groups() if found else (None, part.text)
                    self._error = {"code": code, "message": text}

    # -- The response ------------------------------------------------------------------

    def _identify(self, head: Head) -> None:
        if self._has_begun:
            if head.id or head.model:
                self.left_out["another id or model"] += 1
            return
        known = self._head
        self._head = Head(
            head.id or known.id,
            head.model or known.model,
            head.created or known.created,
        )
        self.id = self._head.id
        if head.id:
            self.begin()

    def begin(self) -> None:
        """Write the events that begin a response, once."""
        if not self._has_begun:
            self._has_begun = True
            self._event("response.created", response=self._whole("in_progress"))
            self._event("response.in_progress", response=self._whole("in_progress"))

    def _whole(self, status: str) -> Payload:
        head = self._head
        response = response_object(head.id or NO_ID, head.model, head.created, status)
        if sent := self._sent.get("response"):
            own = {k: v for k, v in response.items() if k in _OWN}
            response = {**sent, **own, **({"usage": None} if "usage" in sent else {})}
        response["output"] = [
            item.value()
            for item in self._items
            if not isinstance(item, CallItem) or item.index >= 0
        ]
        if "output_text" in response:
            response["output_text"] = "".join(
                str(part.text)
                for item in self._items
                if isinstance(item, TextItem)
                for part in item.parts
                if part.kind.name == "output_text"
            )
        return response

    def _end(self, finish: Finish) -> None:
        status, reason = _status(finish)
        if status == "completed" and (finish.meaning or finish.reason) not in _KNOWN:
            self.left_out["finish reason"] += 1
        self.close_whole_calls()
        self.close_text(status)
        for call in self._calls.values():
            self.close_call(call, status)
        for item in self.open_ones():
            self.finish_server(item, item.sent)
        self._response = response = self._whole(status)
        if status == "incomplete":
            response["incomplete_details"] = {"reason": reason}
        if status == "failed":
            response["error"] = self._error or {"code": None, "message": "failed"}
            if self._has_error_event:
                error = {"param": None, **response["error"]}
                self._event("error", error={"type": error["code"], **error})
        elif self._error is not None:
            self.left_out["error"] += 1
        if status in {"completed", "incomplete"}:
            response["usage"] = usage_object(self._usage)
        self._event(f"response.{status}", response=response)


def _neutral(usage: Usage) -> tuple[int | None, ...]:
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
    )


def _status(finish: Finish) -> tuple[str, str]:
    """Return the status of a response and why it is incomplete, of any API's finish."""
    word = finish.meaning or finish.reason
    if finish.reason in _ENDS:
        return finish.reason, _REASONS.get(word, "other")
    if word in _REASONS:
        return "incomplete", _REASONS[word]
    return "completed", ""


def body(parts: list[Part]) -> Payload:
    """Return an answer that is not streamed.

    Args:
        parts: All parts of it.

    Returns:
        The response object; its status is `in_progress` where no finish came.
    """
    writer = Writer()
    writer.feed(parts)
    writer.close()
    return writer.response
