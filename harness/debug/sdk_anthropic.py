"""What Anthropic's SDK makes of Messages."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Heard, Sdk, agrees, plain, problems_of

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_REQUEST: dict[str, Any] = {"model": "recorded", "max_tokens": 1, "messages": []}


class Anthropic(Sdk):
    """Anthropic's SDK: its events, and the message that its helper adds up."""

    name = "anthropic"
    title = "the Anthropic SDK"

    def _connect(self) -> None:
        import anthropic

        base = anthropic.DefaultHttpxClient
        roots = [kind.__module__.partition(".")[0] for kind in base.__mro__]
        http = importlib.import_module(  # as with OpenAI's: httpx, later httpx2
            next(root for root in roots if root.startswith("httpx"))
        )
        self._messages: Any = anthropic.Anthropic(
            api_key="unused",
            base_url="http://recorded.invalid",
            max_retries=0,
            http_client=base(transport=self.transport(http)),
        ).messages

    def read_stream(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a stream twice: its events, then with the helper; see `Sdk.read`."""
        del api
        heard = Heard(exchange, kept_back="ping")
        for _ in heard.hear(
            lambda: self._messages.create(**_REQUEST, stream=True), plain, problems_of
        ):
            pass
        snapshot = None
        number = 0
        doing = "accumulating"
        try:
            with self._messages.stream(**_REQUEST) as stream:
                for event in stream:
                    number += event.type in _SENT
                    if snapshot is not None or event.type == "message_start":
                        snapshot = stream.current_message_snapshot
                doing = "completing"
                stream.get_final_message()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note(doing, number, error)
        message = {} if snapshot is None else plain(snapshot)
        return heard.report(_kept(message), agrees=_agrees(exchange, message))

    def read_whole(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a whole answer; see `Sdk.read`."""
        del api
        heard = Heard(exchange)
        message: dict[str, Any] = {}
        problems: list[str] = []
        try:
            model = self._messages.create(**_REQUEST)
            message = plain(model)
            problems = problems_of(model, message)
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note("reading", None, error)
        return heard.report_whole(
            _kept(message), problems, agrees=_agrees(exchange, message)
        )


SDK = Anthropic

_SENT = {
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
}


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a message, without what the SDK adds itself."""
    for block in message.get("content") or []:
        block.pop("parsed_output", None)
    fields = ("content", "stop_reason", "stop_sequence", "usage")
    return {field: message.get(field) for field in fields}


def _agrees(exchange: Exchange, message: dict[str, Any]) -> bool:
    blocks = message.get("content") or []
    return agrees(
        exchange,
        "".join(one.get("text") or "" for one in blocks if one.get("type") == "text"),
        [
            (one.get("name"), one.get("input"))
            for one in blocks
            if one.get("type") == "tool_use"
        ],
        message.get("stop_reason"),
        are_parsed=True,
    )
