"""What a step looks like when its response was not streamed: whole messages."""

from __future__ import annotations

import json
from typing import Any, Literal

from harness.agents.letta.messages import (
    AssistantMessage,
    FunctionCall,
    FunctionCallMessage,
    FunctionReturn,
    InternalMonologue,
    LegacyFunctionCallMessage,
    Message,
    StreamedMessage,
    ToolCall,
    encodable,
)
from harness.core.json_texts import ArgumentTexts


def call_message(
    record: Message, assistant_function: str | None, assistant_argument: str
) -> StreamedMessage:
    """Build the message of a call.

    Args:
        record: The answer, with the call as `tool_calls[0]`.
        assistant_function: The function whose calls are shown as their text; None
            shows every call as a call.
        assistant_argument: The key of that text.

    Returns:
        An `AssistantMessage` for the assistant function where the text is there,
        else a `FunctionCallMessage` with the arguments as they are.

    Raises:
        ValueError: The record has no call.
    """
    call = _call_of(record)
    arguments = _parse(call.function.arguments)
    text = _spoken(call, arguments, assistant_function, assistant_argument)
    if text is not None:
        return _assistant_message(record, text)
    return FunctionCallMessage(
        id=record.id,
        date=record.created_at,
        function_call=FunctionCall(
            name=encodable(call.function.name),
            arguments=encodable(call.function.arguments),
            function_call_id=call.id,
        ),
    )


def legacy_messages(
    record: Message, assistant_function: str, assistant_argument: str
) -> list[StreamedMessage]:
    """Build the messages of a call for clients older than the message types.

    Args:
        record: The answer, with the call as `tool_calls[0]`.
        assistant_function: The function whose text is shown besides.
        assistant_argument: The key of that text.

    Returns:
        ``name({'key': 'value'})`` with the Python repr of the arguments (the raw
        text where they are no JSON); for the assistant function its text besides.

    Raises:
        ValueError: The record has no call.
    """
    call = _call_of(record)
    arguments = _parse(call.function.arguments)
    messages: list[StreamedMessage] = [
        LegacyFunctionCallMessage(
            id=record.id,
            date=record.created_at,
            function_call=encodable(f"{call.function.name}({arguments})"),
        )
    ]
    text = _spoken(call, arguments, assistant_function, assistant_argument)
    if text is not None:
        messages.append(_assistant_message(record, text))
    return messages


def without_thoughts(
    record: Message, argument: str
) -> tuple[list[StreamedMessage], Message]:
    """Take the inner thoughts out of a call's arguments.

    Args:
        record: The answer, with the call as `tool_calls[0]`.
        argument: The key of the thoughts.

    Returns:
        The thoughts as a message, if there are any, and the record with what is left.
    """
    call = _call_of(record)
    texts = ArgumentTexts([argument], taken_out=argument)
    thoughts = "".join(piece.text for piece in texts.feed(call.function.arguments))
    if texts.close() is not None or not thoughts:
        return [], record
    function = call.function.model_copy(update={"arguments": texts.take_rest()})
    left = call.model_copy(update={"function": function})
    shown = InternalMonologue(
        id=record.id, date=record.created_at, internal_monologue=thoughts
    )
    return [shown], record.model_copy(update={"tool_calls": [left]})


def return_message(
    record: Message, text: str, status: Literal["success", "error"]
) -> StreamedMessage:
    """Build the message of a function's return.

    Args:
        record: The tool's message.
        text: The result or the error, without its prefix.
        status: Which of the two.

    Returns:
        A `FunctionReturn`.

    Raises:
        ValueError: The record has no `tool_call_id`.
    """
    if record.tool_call_id is None:
        raise ValueError(
            f"message {record.id!r} of a function return needs the tool_call_id that "
            "it answers; got None"
        )
    return FunctionReturn(
        id=record.id,
        date=record.created_at,
        function_return=encodable(text),
        status=status,
        function_call_id=record.tool_call_id,
    )


def _call_of(record: Message) -> ToolCall:
    if not record.tool_calls:
        raise ValueError(
            f"message {record.id!r} of a 'Running' message needs the call as "
            "tool_calls[0]; got none"
        )
    return record.tool_calls[0]


def _parse(arguments: str) -> Any:
    """Return parsed arguments; empty ones mean {}, what is no JSON stays text."""
    if not arguments:
        return {}
    try:
        # Raw control characters in strings are read, as where arguments are streamed.
        return json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return arguments


def _spoken(
    call: ToolCall, arguments: Any, function_name: str | None, argument: str
) -> str | None:
    """Return the text of a call to the assistant function; None if it is none."""
    if function_name is None or call.function.name != function_name:
        return None
    text = arguments.get(argument) if isinstance(arguments, dict) else None
    if isinstance(text, str):
        return text
    import logging  # not at the top: 5 ms of a start, for a case that is rare

    log = logging.getLogger(__name__)
    log.info("call %s of %s has no text under %r", call.id, function_name, argument)
    return None


def _assistant_message(record: Message, text: str) -> AssistantMessage:
    return AssistantMessage(
        id=record.id, date=record.created_at, assistant_message=encodable(text)
    )
