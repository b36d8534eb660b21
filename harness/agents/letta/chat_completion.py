"""One streamed response as OpenAI chunks in which the agent's calls are content.

For clients that know nothing of agents: they see a plain chat completion. Inner
thoughts (content, reasoning) are silent. The assistant function's text is
`delta.content`. Every other call is a `delta.tool_calls` entry, normalised: indices
from 0 without gaps in the order the calls were passed on, id and type once, the
legacy form turned into this one. Roles, refusals, finish and usage pass through.

- `finish_reason: tool_calls` becomes `stop` when every call of the response was
  shown as content.
- A call to the assistant function that cannot be shown (malformed arguments, no
  text under the key) is passed on as a tool call with its raw arguments, so it is
  not lost; then the finish stays `tool_calls`.
- Other choices than 0, log probabilities (they spell out the inner thoughts) and
  fields of the delta that nobody knows are left out.

A chunk is a plain dict, ready for JSON, with the outer fields as the provider sent
them: what the seed built here, and what costs least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agents.letta.assistant_calls import (
    AssistantText,
    CallDelta,
    CallRouter,
    Routed,
    WholeCall,
    call_id_of,
)
from harness.agents.letta.surrogates import HalfPairs, encodable
from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import CallPart, Finish, Refusal, ToolCall

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload


_REFUSAL = "refusal"  # the one text that is no call's, as a key of `HalfPairs`


class _Delta:
    """What one chunk's delta becomes."""

    def __init__(self) -> None:
        self.role = ""
        self.texts: dict[str, str] = {}
        self.calls: list[dict[str, Any]] = []
        self.finish_reason: str | None = None

    def add_text(self, field: str, text: str) -> None:
        self.texts[field] = self.texts.get(field, "") + text

    def choice(self) -> dict[str, Any] | None:
        """Return the entry of `choices`; None if there is nothing to send."""
        delta: dict[str, Any] = {"role": self.role} if self.role else {}
        delta |= self.texts
        if self.calls:
            delta["tool_calls"] = self.calls
        if not delta and self.finish_reason is None:
            return None
        return {"index": 0, "delta": delta, "finish_reason": self.finish_reason}


class ChatCompletionChunks:
    """Reads the chunks of one response.

    Never raises on what a chunk holds. O(size of the chunk) a call.

    Args:
        assistant_function: The function whose calls become content.
        assistant_argument: The key of that text.
        call_id_prefix: A call without id gets this, ``_`` and its position; None
            leaves it without.
    """

    def __init__(
        self,
        assistant_function: str,
        assistant_argument: str,
        *,
        call_id_prefix: str | None = None,
    ) -> None:
        self._reader = DeltaReader()
        self._router = CallRouter(assistant_function, assistant_argument)
        self._halves = HalfPairs()
        self._call_id_prefix = call_id_prefix
        self._envelope: Payload = {}
        self._indices: dict[ToolCall, int] = {}
        self._identified: set[ToolCall] = set()
        self._has_role = False

    def feed(self, payload: Payload) -> list[Payload]:
        """Read one chunk.

        Args:
            payload: The chunk's JSON object; any shape. It is not changed.

        Returns:
            One chunk, or none if there is nothing to show.
        """
        if payload.get("choices"):
            self._envelope = payload
        out = _Delta()
        for part in self._reader.read(payload):
            if isinstance(part, CallPart):
                self._add(self._router.feed(part), out)
            elif isinstance(part, Refusal):
                out.add_text("refusal", self._halves.join(_REFUSAL, part.text))
            elif isinstance(part, Finish):
                self._settle(out)
                out.finish_reason = self._finish(part.reason)
        if not self._has_role:
            out.role = _role_of(payload, self._reader.choice)
            self._has_role = bool(out.role)
        choice = out.choice()
        if choice is not None:
            return [{**payload, "choices": [choice]}]
        if payload.get("usage") is not None:
            return [{**payload, "choices": []}]
        return []

    def close(self) -> list[Payload]:
        """Settle what was held back; chunks may follow all the same.

        Returns:
            One chunk with the outer fields of the last one but its usage, or none.
        """
        out = _Delta()
        self._settle(out)
        choice = out.choice()
        if choice is None:
            return []
        envelope = {
            key: self._envelope[key] for key in self._envelope if key != "usage"
        }
        return [{**envelope, "choices": [choice]}]

    def _settle(self, out: _Delta) -> None:
        for key in self._halves.flush():
            if isinstance(key, ToolCall):
                self._add_call(key, "", "\ufffd", out)
            else:
                out.add_text("refusal", "\ufffd")
        self._add(self._router.finish(), out)

    def _add(self, routed: list[Routed], out: _Delta) -> None:
        for item in routed:
            if isinstance(item, AssistantText):
                out.add_text("content", item.text)
            elif isinstance(item, CallDelta):
                arguments = self._halves.join(item.call, item.arguments)
                self._add_call(item.call, item.name, arguments, out)
            elif isinstance(item, WholeCall):
                arguments = encodable(item.call.arguments)
                self._add_call(item.call, item.call.name, arguments, out)

    def _add_call(self, call: ToolCall, name: str, arguments: str, out: _Delta) -> None:
        name = encodable(name)
        entry: dict[str, Any] = {}
        if call not in self._identified:
            call_id = call_id_of(call, self._call_id_prefix)
            if call_id:  # once: clients concatenate the strings of a delta
                entry["id"] = call_id
                self._identified.add(call)
        index = self._indices.get(call)
        if index is None:
            index = self._indices[call] = len(self._indices)
            entry["type"] = "function"
            entry["function"] = {"name": name, "arguments": arguments}
        else:
            function = {"name": name, "arguments": arguments}
            entry["function"] = {key: text for key, text in function.items() if text}
            if not (entry["function"] or "id" in entry):
                return
        out.calls.append({"index": index, **entry})

    def _finish(self, reason: str) -> str:
        if reason not in {"tool_calls", "function_call"} or not self._router.has_calls:
            return reason
        return "tool_calls" if self._router.has_passed else "stop"


def _role_of(payload: Payload, index: int) -> str:
    """Return the role that a chunk gives the choice; empty if none."""
    choices = payload.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and (choice.get("index") or 0) == index:
            delta = choice.get("delta")
            role = delta.get("role") if isinstance(delta, dict) else None
            if role and isinstance(role, str):
                return role
    return ""
