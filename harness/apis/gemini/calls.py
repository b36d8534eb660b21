"""Function calls of one candidate: whole ones, and one at a time in pieces.

A name begins a call; what has no name goes on with the call that is open. A call is
closed by a `functionCall` without `willContinue`, which may be empty.
"""

from __future__ import annotations

from typing import Any

from harness.apis.gemini.partial_args import ArgumentsText
from harness.apis.json_values import as_json, dicts_of, same, text_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Opaque, Part, Problem, ToolCall
from harness.errors import shorten


class CallReader:
    """Reads the `functionCall`s of one candidate."""

    def __init__(self) -> None:
        self.count = 0
        """How many calls have begun."""
        self._open: ToolCall | None = None
        self._text = ArgumentsText()  # of the open call

    def feed(self, sent: dict[str, Any], signature: str, parts: list[Part]) -> None:
        """Read one `functionCall`.

        Args:
            sent: The object; any shape.
            signature: The `thoughtSignature` beside it; empty if none.
            parts: What is new is added here.
        """
        name, call_id, args = sent.get("name"), sent.get("id"), sent.get("args")
        name, call_id = text_of(name), text_of(call_id)
        pieces = sent.get("partialArgs")
        pieces = pieces if type(pieces) is list else []
        goes_on = sent.get("willContinue") is True
        if name or (self._open is None and (args is not None or pieces or call_id)):
            self.settle(parts, "when the next call began")
            call = ToolCall(self.count, None, call_id)
            call.name = name
            self.count += 1
            self._open, self._text = call, ArgumentsText()
            parts.append(CallPart(call, name, "", is_new=True, id=call_id))
            if not name:
                parts.append(_illegal("a function call began without a name"))
        elif self._open is None:
            parts.append(_illegal("a function call was closed that had not begun"))
            if signature:
                parts.append(Opaque("signature", signature))
            return
        else:
            call = self._open
            if call_id and call_id != call.id:
                self._change_id(call, call_id, parts)
        if args is not None:
            self._take_whole(call, args, parts)
        for piece in dicts_of(pieces):
            text, problem = self._text.feed(piece)
            _add(call, text, parts)
            if problem:
                parts.append(_illegal(f"arguments of {_name(call)}: {problem}"))
        if not goes_on:
            self._close(parts)
        if signature:
            parts.append(Opaque("signature", signature, call))

    def settle(self, parts: list[Part], when: str) -> None:
        """Close a call that should have been closed; nothing where none is open.

        Arguments that were cut inside a text stay as they are: they are not whole.
        """
        call = self._open
        if call is None:
            return
        problem = f"{_name(call)} was still open {when}; expected `functionCall: {{}}`"
        parts.append(_illegal(problem))
        if self._text.is_complete:
            self._close(parts)
        self._open = None

    def end(self, parts: list[Part]) -> None:
        """Report a call that is open when the stream ends: it is not whole."""
        if self._open is not None:
            parts.append(_illegal(f"{_name(self._open)} was never closed"))

    def _close(self, parts: list[Part]) -> None:
        call, self._open = self._open, None
        if call is None:
            return
        if not self._text.is_complete:
            parts.append(_illegal(f"{_name(call)} was closed inside a text"))
        elif self._text.has_begun or not call.has_arguments:  # else they came whole
            _add(call, self._text.close(), parts)

    def _take_whole(self, call: ToolCall, args: object, parts: list[Part]) -> None:
        """Read `args`: an object, or its text (some proxies)."""
        text = args if isinstance(args, str) and args else as_json(args)
        if not text:
            problem = f"arguments of {_name(call)} are nested too deeply to be written"
            parts.append(Problem(DiagnosticKind.MALFORMED_ARGUMENTS, problem))
        elif not call.has_arguments:
            _add(call, text, parts)
        elif not same(call.arguments + self._text.close(), text):
            parts.append(
                Problem(
                    DiagnosticKind.DONE_DIFFERS,
                    f"`args` of {_name(call)} differ from its `partialArgs`: "
                    f"{shorten(text)}",
                )
            )

    def _change_id(self, call: ToolCall, call_id: str, parts: list[Part]) -> None:
        if call.id:
            parts.append(
                _illegal(
                    f"the id of {_name(call)} changed from {shorten(call.id)} "
                    f"to {shorten(call_id)}"
                )
            )
        else:
            call.id = call_id
            parts.append(CallPart(call, "", "", is_new=False, id=call_id))


def _add(call: ToolCall, text: str, parts: list[Part]) -> None:
    """Add to the arguments; joined with what the last part has of the same call."""
    if not text:
        return
    call.add_arguments(text)
    last = parts[-1] if parts else None
    if type(last) is CallPart and last.call is call:
        last.arguments += text
    else:
        parts.append(CallPart(call, "", text, is_new=False))


def _illegal(text: str) -> Problem:
    return Problem(DiagnosticKind.ILLEGAL_EVENT, text)


def _name(call: ToolCall) -> str:
    return f"call {call.position} ({shorten(call.name)})"
