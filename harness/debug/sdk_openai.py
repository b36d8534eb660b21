"""What OpenAI's SDK makes of chat completions and of Responses."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Heard, Sdk, agrees, plain, problems_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.model import Exchange


class OpenAi(Sdk):
    """OpenAI's SDK: its accumulator of chat chunks, its helper for Responses."""

    name = "openai"
    title = "the OpenAI SDK"

    def _connect(self) -> None:
        import openai
        from openai.lib.streaming.chat import ChatCompletionStreamState

        self._accumulator: Callable[[], Any] = ChatCompletionStreamState
        base = openai.DefaultHttpxClient
        roots = [kind.__module__.partition(".")[0] for kind in base.__mro__]
        # httpx until openai 2, httpx2 since 3; whichever it is built on.
        http = importlib.import_module(
            next(root for root in roots if root.startswith("httpx"))
        )
        self._client: Any = openai.OpenAI(
            api_key="unused",
            base_url="http://recorded.invalid/v1",
            max_retries=0,
            http_client=base(transport=self.transport(http)),
        )

    def read_stream(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a stream; see `Sdk.read`."""
        heard = Heard(exchange)
        if api == "responses":
            return self._read_response(heard, exchange)
        completion = self._accumulate(heard)
        return heard.report(
            _completion(completion), agrees=_agrees(exchange, completion)
        )

    def read_whole(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a whole answer; see `Sdk.read`."""
        heard = Heard(exchange)
        answer: dict[str, Any] = {}
        problems: list[str] = []
        try:
            if api == "chat":
                model = self._client.chat.completions.create(
                    model="recorded", messages=[]
                )
            else:
                model = self._client.responses.create(model="recorded", input=[])
            answer = plain(model)
            problems = problems_of(model, answer)
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note("reading", None, error)
        if api == "chat":
            said, is_same = _completion(answer), _agrees(exchange, answer)
        else:
            said, is_same = _response(answer), _response_agrees(exchange, answer)
        return heard.report_whole(said, problems, agrees=is_same)

    def _accumulate(self, heard: Heard) -> dict[str, Any]:
        """Return the completion as far as it came; empty if it broke or none came."""
        state: Any = self._accumulator()
        has_raised = False
        chunks = heard.hear(
            lambda: self._client.chat.completions.create(
                model="recorded", messages=[], stream=True
            ),
            plain,
            problems_of,
        )
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
            completion = plain(state.current_completion_snapshot)
            state.get_final_completion()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note("completing", heard.count, error)
        return completion

    def _read_response(self, heard: Heard, exchange: Exchange) -> dict[str, Any]:
        """Read a Responses stream twice: its events, then with the helper."""
        request: dict[str, Any] = {"model": "recorded", "input": []}
        responses = self._client.responses
        for _ in heard.hear(
            lambda: responses.create(**request, stream=True), plain, problems_of
        ):
            pass
        response: dict[str, Any] = {}
        number = 0
        doing = "accumulating"
        try:
            with responses.stream(**request) as stream:
                for event in stream:
                    number += 1
                    if event.type in _TERMINAL:
                        response = plain(event.response)
                doing = "completing"
                stream.get_final_response()
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note(doing, number, error)
        return heard.report(
            _response(response), agrees=_response_agrees(exchange, response)
        )


SDK = OpenAi

_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


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


def _agrees(exchange: Exchange, completion: dict[str, Any]) -> bool:
    choices = completion.get("choices") or [{}]
    message = choices[0].get("message") or {}
    functions = [one.get("function") or {} for one in message.get("tool_calls") or []]
    return agrees(
        exchange,
        message.get("content") or "",
        [(f.get("name") or "", f.get("arguments") or "") for f in functions],
        choices[0].get("finish_reason"),
    )


def _response(response: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a response, without what the SDK adds itself."""
    for item in response.get("output") or []:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or []:
            part.pop("parsed", None)
    fields = ("status", "output", "error", "incomplete_details", "usage")
    return {field: response.get(field) for field in fields}


def _response_agrees(exchange: Exchange, response: dict[str, Any]) -> bool:
    text = ""
    calls = []
    for item in response.get("output") or []:
        if item.get("type") == "message":
            parts = item.get("content") or []
            text += "".join(part.get("text") or "" for part in parts)
        elif item.get("type") == "function_call":
            calls.append((item.get("name"), item.get("arguments")))
        elif item.get("type") == "custom_tool_call":
            calls.append((item.get("name"), item.get("input")))
    return agrees(exchange, text, calls, response.get("status"))
