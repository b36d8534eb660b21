"""What OpenAI's SDK makes of chat completions and of Responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.debug.sdk import Heard

_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
_CHAT: dict[str, Any] = {"model": "recorded", "messages": []}
_RESPONSE: dict[str, Any] = {"model": "recorded", "input": []}


class OpenAi(Sdk):
    """OpenAI's SDK: its accumulator of chat chunks, its helper for Responses."""

    name = "openai"

    def _connect(self) -> None:
        import openai
        from openai.lib.streaming.chat import ChatCompletionStreamState

        self._accumulator: Callable[[], Any] = ChatCompletionStreamState
        client = openai.OpenAI(
            api_key="unused",
            base_url="http://recorded.invalid/v1",
            max_retries=0,
            http_client=self.client(openai.DefaultHttpxClient),
        )
        self._completions: Any = client.chat.completions
        self._responses: Any = client.responses

    def ask(self, api: str) -> Any:
        """Return a whole answer; see `Sdk`."""
        if api == "chat":
            return self._completions.create(**_CHAT)
        return self._responses.create(**_RESPONSE)

    def accumulate(self, heard: Heard, api: str) -> dict[str, Any]:
        """Read a stream; see `Sdk`."""
        return self._completion(heard) if api == "chat" else self._response(heard)

    def _completion(self, heard: Heard) -> dict[str, Any]:
        """Return the completion as far as it came; empty if it broke or none came."""
        state: Any = self._accumulator()
        has_raised = False
        chunks = heard.hear(lambda: self._completions.create(**_CHAT, stream=True))
        for chunk in chunks:
            try:
                if not has_raised:
                    list(state.handle_chunk(chunk))
            except Exception as error:  # noqa: BLE001 - it is the finding
                has_raised = True
                heard.note("accumulating", heard.count, error)
        completion: dict[str, Any] = {}
        if has_raised or not heard.count:
            return completion
        try:
            completion = self.as_sent(state.current_completion_snapshot)
            state.get_final_completion()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note("completing", heard.count, error)
        return completion

    def _response(self, heard: Heard) -> dict[str, Any]:
        """Read a Responses stream twice: its events, then with the helper."""
        response: dict[str, Any] = {}

        def take(_stream: Any, event: Any) -> bool:
            if event.type in _TERMINAL:
                response.clear()
                response.update(self.as_sent(event.response))
            return True

        heard.hear_twice(
            lambda: self._responses.create(**_RESPONSE, stream=True),
            lambda: self._responses.stream(**_RESPONSE),
            take,
            "get_final_response",
        )
        return response

    def kept(self, answer: dict[str, Any], api: str) -> dict[str, Any]:
        """Return what is kept of an answer; see `Sdk`."""
        return _completion(answer) if api == "chat" else _response(answer)

    def content_of(
        self, answer: dict[str, Any], api: str
    ) -> tuple[str, list[tuple[Any, Any]], str | None]:
        """Return text, calls and finish of an answer; see `Sdk`."""
        if api == "chat":
            choice = (answer.get("choices") or [{}])[0]
            message = choice.get("message") or {}
            asked = [
                one.get("function") or {} for one in message.get("tool_calls") or []
            ]
            calls = [(f.get("name") or "", f.get("arguments") or "") for f in asked]
            return message.get("content") or "", calls, choice.get("finish_reason")
        text, called = "", []
        for item in answer.get("output") or []:
            if item.get("type") == "message":
                parts = item.get("content") or []
                text += "".join(part.get("text") or "" for part in parts)
            elif item.get("type") == "function_call":
                called.append((item.get("name"), item.get("arguments")))
            elif item.get("type") == "custom_tool_call":
                called.append((item.get("name"), item.get("input")))
        return text, called, answer.get("status")


SDK = OpenAi


def _completion(completion: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a completion, without what the SDK adds itself."""
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


def _response(response: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a response, without what the SDK adds itself."""
    for item in response.get("output") or []:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or []:
            part.pop("parsed", None)
    fields = ("status", "output", "error", "incomplete_details", "usage")
    return {field: response.get(field) for field in fields}
