"""What Anthropic's SDK makes of Messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Sdk

if TYPE_CHECKING:
    from harness.debug.sdk import Heard

_REQUEST: dict[str, Any] = {"model": "recorded", "max_tokens": 1, "messages": []}
_SENT = {
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
}


class Anthropic(Sdk):
    """Anthropic's SDK: its events, and the message that its helper adds up."""

    name = "anthropic"
    kept_back = "ping"
    parses_arguments = True

    def _connect(self) -> None:
        import anthropic

        self._messages: Any = anthropic.Anthropic(
            api_key="unused",
            base_url="http://recorded.invalid",
            max_retries=0,
            http_client=self.client(anthropic.DefaultHttpxClient),
        ).messages

    def ask(self, api: str) -> Any:  # noqa: ARG002 - it has one
        """Return a whole message; see `Sdk`."""
        return self._messages.create(**_REQUEST)

    def accumulate(self, heard: Heard, api: str) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Read a stream twice: its events, then with the helper; see `Sdk`."""
        snapshots: list[Any] = []

        def take(stream: Any, event: Any) -> bool:
            if snapshots or event.type == "message_start":
                snapshots[:] = [stream.current_message_snapshot]
            return event.type in _SENT

        heard.hear_twice(
            lambda: self._messages.create(**_REQUEST, stream=True),
            lambda: self._messages.stream(**_REQUEST),
            take,
            "get_final_message",
        )
        return self.as_sent(snapshots[0]) if snapshots else {}

    def kept(self, answer: dict[str, Any], api: str) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Return what is kept of a message; see `Sdk`."""
        for block in answer.get("content") or []:
            block.pop("parsed_output", None)
        fields = ("content", "stop_reason", "stop_sequence", "usage")
        return {field: answer.get(field) for field in fields}

    def content_of(
        self,
        answer: dict[str, Any],
        api: str,  # noqa: ARG002 - as above
    ) -> tuple[str, list[tuple[Any, Any]], str | None]:
        """Return text, calls and stop reason of a message; see `Sdk`."""
        blocks = answer.get("content") or []
        texts = (one.get("text") or "" for one in blocks if one.get("type") == "text")
        calls = [
            (one.get("name"), one.get("input"))
            for one in blocks
            if one.get("type") == "tool_use"
        ]
        return "".join(texts), calls, answer.get("stop_reason")


SDK = Anthropic
