"""What waits to be written of one candidate, and how it is divided into events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.apis.gemini.partial_args import partial_args
from harness.apis.json_values import parsed
from harness.core.json_arguments import FunctionArgumentsStreamHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Payload
    from harness.core.parts import CallPart, Opaque, ToolCall


@dataclass(frozen=True, slots=True)
class Style:
    """What servers write differently."""

    has_index: bool = True
    """Whether candidate 0 has its `index`; others always have."""
    is_partial: bool = False
    """Whether function calls come as `partialArgs`."""
    calls: str = "as they come"
    """Or `one an event`, or `all in one event`."""
    ids: str = "as sent"
    """Or `none`, or `made`: from the call's position where none was sent."""
    signs_empty_text: bool = False
    """Whether the signature of a text stands on an empty text behind it."""
    has_thoughts: bool = True
    """Whether thoughts are sent (`includeThoughts`)."""
    has_response_id: bool = True
    """Whether events have `responseId`."""
    counts_every_event: bool = True
    """Whether every event has `usageMetadata`; else those from the finish on."""
    edit: Callable[[Payload], Payload] | None = None
    """What is done to each event in the end; a function of a module."""


STANDARD = Style()
"""The Gemini API."""


class _Call:
    """A function call that is being collected."""

    def __init__(self, source: ToolCall) -> None:
        self.source = source
        self.is_custom = source.type != "function"
        self.name = ""
        self.id = ""
        self.signature = ""
        self.is_due = False  # nothing more will come
        self.is_written = False
        self._text: list[str] = []
        self._machine = FunctionArgumentsStreamHandler()

    @property
    def is_whole(self) -> bool:
        return self._machine.is_complete and not self.is_custom and self.name != ""

    def add(self, part: CallPart) -> None:
        self.name += part.name
        self.id = part.id or self.id
        if part.arguments:
            self._text.append(part.arguments)
            self._machine.process_json_chunk(part.arguments)

    def args(self) -> dict[str, Any] | None:
        """Return the arguments; None where they are no object."""
        text = "".join(self._text)
        if self.is_custom:
            return {"input": text}
        args = parsed(text or "{}")
        return args if isinstance(args, dict) else None


class PendingCandidate:
    """The queue of one candidate: parts, calls, and fields beside the content.

    Args:
        number: Its index.
        style: How to write.
        leave_out: Called with the name of what cannot be written.
    """

    def __init__(
        self, number: int, style: Style, leave_out: Callable[[str], None]
    ) -> None:
        self._number = number
        self._style = style
        self._leave_out = leave_out
        self._queue: list[dict[str, Any] | _Call | tuple[str, Any]] = []
        self._calls: dict[int, _Call] = {}
        self._begins = True  # the next text does not continue the last part
        self._kind = "text"
        self._finish = ""
        self._is_done = False  # its finish reason has been written

    @property
    def waits(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._queue or self._finish)

    def begin(self, kind: str) -> None:
        """Let the next text, or a signature without one, be a part of its own."""
        self._begins = True
        self._kind = "reasoning" if kind == "reasoning" else "text"

    def add_text(self, text: str, kind: str) -> None:
        """Queue text, joined with what waits in front of it."""
        last = self._queue[-1] if self._queue else None
        if not self._begins and isinstance(last, dict) and self._kind == kind:
            last["text"] += text
        else:
            self._queue.append(_text_part(text, kind))
        self._kind = kind
        self._begins = False

    def sign_text(self, signature: str) -> None:
        """Sign the text that waits; an empty one where it has been written."""
        last = self._queue[-1] if self._queue else None
        if self._style.signs_empty_text or self._begins or not isinstance(last, dict):
            last = _text_part("", self._kind)
            self._queue.append(last)
        last["thoughtSignature"] = signature
        self._begins = True

    def add_call(self, part: CallPart) -> None:
        """Queue a call, or add to one."""
        position = part.call.position
        call = self._calls.get(position)
        if call is None:
            call = _Call(part.call)
            self._calls[position] = call
            self.add(call)
        if call.is_written:
            for what, piece in (
                ("late name of a call", part.name),
                ("late id of a call", part.id.removeprefix(call.id)),
                ("piece of a call after its end", part.arguments.strip()),
            ):
                if piece:
                    self._leave_out(what)
        call.add(part)

    def sign_call(self, part: Opaque) -> None:
        """Sign a call that waits; one that was written cannot be signed."""
        call = self._calls.get(part.call.position) if part.call else None
        if call is None or call not in self._queue:
            self._leave_out("signature")
        else:
            call.signature = part.data

    def add(self, entry: dict[str, Any] | _Call | tuple[str, Any]) -> None:
        """Queue a whole part, or a field that stands beside the content."""
        self._queue.append(entry)
        self._begins = True

    def finish(self, reason: str) -> None:
        """Keep the finish reason until it may be written."""
        if self._is_done:
            self._leave_out("second finish")
        else:
            self._finish = reason

    def reopen(self, reason: str) -> None:
        """Take a finish reason back: more has come."""
        self._finish, self._is_done = reason, False

    def release(self) -> None:
        """Let calls go as they are: nothing more will come."""
        for waiting in self._queue:
            if isinstance(waiting, _Call):
                waiting.is_due = True

    def entries(self, *, ends: bool) -> list[dict[str, Any]]:
        """Return what no longer waits as entries of `candidates`, one an event.

        Args:
            ends: Whether the finish reason need not wait, if one has come.
        """
        rows: list[list[dict[str, Any]]] = [[]]
        beside: dict[str, Any] = {}
        done = 0
        holds = self._style.calls == "all in one event"
        for waiting in self._queue:
            if isinstance(waiting, _Call):
                if not waiting.is_due and (holds or not waiting.is_whole):
                    break
                self._divide(waiting, rows)
            elif isinstance(waiting, tuple):
                if self._finish and not ends:
                    break  # it stands with the finish
                beside[waiting[0]] = waiting[1]
            else:
                rows[-1].append(waiting)
            done += 1
        del self._queue[:done]
        rows = [row for row in rows if row]
        if ends and self._finish and not self._queue:
            beside["finishReason"] = self._finish
            self._finish = ""
            self._is_done = True
        if not rows and beside.get("finishReason") in ("STOP", "MAX_TOKENS"):
            rows = [[{"text": ""}]]  # as the API does
        entries: list[dict[str, Any]] = [
            {"content": {"parts": row, "role": "model"}} for row in rows
        ]
        if beside and not entries:
            entries.append({})
        if entries:
            entries[-1] |= beside
        if self._number or self._style.has_index:
            for entry in entries:
                entry["index"] = self._number
        return entries

    def _divide(self, call: _Call, rows: list[list[dict[str, Any]]]) -> None:
        """Add a call to the rows of parts, each of which becomes an event."""
        args = call.args()
        call.is_written = True
        if call.source.is_dropped:
            return
        if args is None:
            self._leave_out("call without an object")
            return
        if call.is_custom:
            self._leave_out("custom call")
        sent: dict[str, Any] = {"name": call.name}
        call_id = call.id
        if self._style.ids == "made" and not call_id:
            call_id = f"call-{self._number}-{call.source.position}"
        if call_id and self._style.ids != "none":
            sent["id"] = call_id
        part: dict[str, Any] = {"functionCall": sent}
        if call.signature:
            part["thoughtSignature"] = call.signature
        pieces = partial_args(args) if self._style.is_partial else None
        if pieces is None:
            sent["args"] = args
        if pieces is None and self._style.calls != "one an event":
            rows[-1].append(part)
            return
        rows.append([part])
        for piece in pieces or ():
            sent["willContinue"] = True
            more = {"partialArgs": [piece], "willContinue": True}
            rows.append([{"functionCall": more}])
        if pieces:
            rows.append([{"functionCall": {}}])
        rows.append([])


def _text_part(text: str, kind: str) -> dict[str, Any]:
    return {"text": text, "thought": True} if kind == "reasoning" else {"text": text}
