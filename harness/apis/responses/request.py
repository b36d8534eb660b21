"""Responses request bodies to the neutral conversation.

Neighbouring items of the assistant (reasoning, messages, calls, server tools) are one
turn, as the other APIs write it; each output of a call is a turn of its own. An item's
`id` and `status` are left out of what is compared: they are the server's, and differ
where the same answer came from a restated stream.

Source: OpenAI API reference, create a model response (`input`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.responses.items import is_served, text_field, type_of
from harness.apis.responses.state import CALL_TYPES, as_json
from harness.apis.tables import tables_of

if TYPE_CHECKING:
    from harness.apis.base import Payload

_ROLES = {"developer": "system"}
_MOVING = {"id", "status"}
_OWN_FIELDS = {*tables_of("responses")["request fields"].split()}
"""Fields of a request that only this API has beside `input`."""
_OUTPUT_TYPES = {"mcp_approval_response", "tool_search_output"}


def is_request(uri: str, body: Payload) -> bool:
    """Return whether a request is meant for this API.

    Args:
        uri: Its URI; decides where the body could also be meant for embeddings or
            moderation, or is empty (a stream that is taken up again).
        body: Its JSON object.

    Returns:
        True if it is.
    """
    url = urlsplit(uri)
    segments = url.path.rstrip("/").split("/")
    if not body:
        return (
            len(segments) > 1
            and segments[-2] == "responses"
            and (parse_qs(url.query).get("stream") == ["true"])
        )
    if "messages" in body or "contents" in body:
        return False
    given = body.get("input")
    if "prompt" in body and "input" not in body:
        return segments[-1] == "responses"
    if type(given) is list and given:
        if all(
            type(item) is dict and ("role" in item or _is_item(item)) for item in given
        ):
            return True
    elif type(given) is not str and "previous_response_id" not in body:
        return segments[-1] == "responses" and "model" in body
    return segments[-1] == "responses" or bool(_OWN_FIELDS & body.keys())


def _is_item(item: dict[str, Any]) -> bool:
    kind = type_of(item)
    return (
        kind in {"message", "reasoning", "item_reference", "compaction"}
        or kind.endswith(("_call", "_call_output"))
        or kind in _OUTPUT_TYPES
    )


def request(uri: str, body: Payload) -> Conversation:  # noqa: ARG001 - body
    """Read a request.

    Args:
        uri: Where it was sent; the body has it all.
        body: Its JSON object; any shape.

    Returns:
        The conversation; what it cannot read is left out of the turns' texts, and
        is in their own JSON.
    """
    turns: list[Turn] = []
    instructions = body.get("instructions")
    if type(instructions) is str and instructions:
        turns.append(Turn("system", instructions, own=instructions))
    given = body.get("input")
    if type(given) is str:
        # As the next request repeats it, among the answer's items.
        turns.append(Turn("user", given, own={"role": "user", "content": given}))
    elif type(given) is list:
        turns += _turns(given)
    model = body.get("model")
    return Conversation(
        tuple(turns),
        previous_id=_previous(body),
        model=model if type(model) is str else "",
        tools=tuple(_tool_names(body.get("tools"))),
    )


def _previous(body: Payload) -> str:
    conversation = body.get("conversation")
    if type(conversation) is dict:
        conversation = conversation.get("id")
    for previous in (body.get("previous_response_id"), conversation):
        if type(previous) is str and previous:
            return previous
    return ""


def _turns(items: list[Any]) -> list[Turn]:
    turns: list[Turn] = []
    assistant: list[dict[str, Any]] = []
    for item in items:
        if type(item) is not dict:
            turns.append(Turn("user", item if type(item) is str else "", own=item))
            continue
        role = _role(item)
        if role == "assistant":
            assistant.append(item)
            continue
        if assistant:
            turns.append(_assistant(assistant))
            assistant = []
        if role == "tool":
            turns.append(Turn("tool", outputs=(_output(item),), own=_own(item)))
        else:
            text = _content(item.get("content"))
            turns.append(Turn(role, text, own=_own(item)))
    if assistant:
        turns.append(_assistant(assistant))
    return turns


def _role(item: dict[str, Any]) -> str:
    role = text_field(item, "role")
    if role:
        return _ROLES.get(role, role)
    kind = type_of(item)
    if kind.endswith("_output") or kind in _OUTPUT_TYPES:
        return "tool"
    return "assistant" if kind != "message" else "user"


def _assistant(items: list[dict[str, Any]]) -> Turn:
    text = "".join(_content(item.get("content")) for item in items if _speaks(item))
    calls = tuple(
        RequestedCall(
            text_field(item, "call_id"),
            text_field(item, "name"),
            text_field(item, CALL_TYPES[type_of(item)][1]),
        )
        for item in items
        if type_of(item) in CALL_TYPES and not is_served(item)
    )
    return Turn("assistant", text, calls, own=[_own(item) for item in items])


def _speaks(item: dict[str, Any]) -> bool:
    return type_of(item) in {"message", ""}


def _own(item: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in item.items() if key not in _MOVING}
    if own.get("type") == "message":
        del own["type"]  # may be left out
    return own


def _output(item: dict[str, Any]) -> ToolOutput:
    output = item.get("output")
    if type(output) is list and all(
        type(part) is dict and type(part.get("text")) is str for part in output
    ):
        text = _content(output)
    elif type(output) is str:
        text = output
    elif output is None:
        rest = {k: v for k, v in _own(item).items() if k not in {"type", "call_id"}}
        text = as_json(rest) if rest else ""
    else:
        text = as_json(output)
    return ToolOutput(text_field(item, "call_id"), text, text_field(item, "name"))


def _content(content: object) -> str:
    """Return the texts of a content, joined; images and files have none."""
    if type(content) is str:
        return content
    texts = []
    for part in content if type(content) is list else []:
        if type(part) is str:
            texts.append(part)
        elif type(part) is dict:
            texts.append(text_field(part, "text") or text_field(part, "refusal"))
    return "".join(texts)


def _tool_names(tools: object) -> list[str]:
    names = []
    for tool in tools if type(tools) is list else []:
        if type(tool) is dict:
            inner = tool.get("tools")
            if type_of(tool) == "namespace" and type(inner) is list:
                names += _tool_names(inner)
            else:
                names.append(text_field(tool, "name") or type_of(tool))
    return names
