"""What a step looks like when its response was not streamed: whole messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.agents.letta.light_messages import CallFields
from harness.agents.letta.surrogates import encodable
from harness.apis.json_values import parsed
from harness.core.json_texts import ArgumentTexts

if TYPE_CHECKING:
    from harness.agents.letta.light_messages import CallOfRecord, MakeMessage, Record
    from harness.agents.letta.messages import Message, StreamedMessage, ToolCall


def call_message(
    record: Message | Record,
    arguments: str,
    assistant_function: str | None,
    assistant_argument: str,
    make: MakeMessage,
) -> StreamedMessage:
    """Build the message of a call.

    Args:
        record: The answer, with the call as `tool_calls[0]`.
        arguments: What to show of the call's arguments.
        assistant_function: The function whose calls are shown as their text; None
            shows every call as a call.
        assistant_argument: The key of that text.
        make: Makes the message.

    Returns:
        An `AssistantMessage` for the assistant function where the text is there,
        else a `FunctionCallMessage` with the arguments as they are.
    """
    call = call_of(record)
    text = _spoken(call, _parse(arguments), assistant_function, assistant_argument)
    if text is not None:
        return _message(make, "AssistantMessage", record, assistant_message=text)
    fields = CallFields(
        name=encodable(call.function.name),
        arguments=encodable(arguments),
        function_call_id=call.id,
    )
    return _message(make, "FunctionCallMessage", record, function_call=fields)


def legacy_messages(
    record: Message | Record,
    assistant_function: str,
    assistant_argument: str,
    make: MakeMessage,
) -> list[StreamedMessage]:
    """Build the messages of a call for clients older than the message types.

    Args:
        record: The answer, with the call as `tool_calls[0]`.
        assistant_function: The function whose text is shown besides.
        assistant_argument: The key of that text.
        make: Makes the messages.

    Returns:
        ``name({'key': 'value'})`` with the Python repr of the arguments (the raw
        text where they are no JSON); for the assistant function its text besides.

    Raises:
        ValueError: The record has no call.
    """
    call = call_of(record)
    arguments = _parse(call.function.arguments)
    line = encodable(f"{call.function.name}({arguments})")
    shown = [_message(make, "LegacyFunctionCallMessage", record, function_call=line)]
    text = _spoken(call, arguments, assistant_function, assistant_argument)
    if text is not None:
        shown.append(_message(make, "AssistantMessage", record, assistant_message=text))
    return shown


def thoughts_apart(arguments: str, argument: str) -> tuple[str, str]:
    """Take the inner thoughts out of a call's arguments.

    Args:
        arguments: Their JSON text.
        argument: The key of the thoughts.

    Returns:
        The thoughts, empty if there are none, and what is left of the arguments.
    """
    texts = ArgumentTexts([argument], taken_out=argument)
    thoughts = "".join(piece.text for piece in texts.feed(arguments))
    if texts.close() is not None or not thoughts:
        return "", arguments
    return thoughts, texts.take_rest()


def return_message(
    record: Message | Record,
    text: str,
    status: Literal["success", "error"],
    make: MakeMessage,
) -> StreamedMessage:
    """Build the message of a function's return.

    Args:
        record: The tool's message.
        text: The result or the error, without its prefix.
        status: Which of the two.
        make: Makes the message.

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
    return _message(
        make,
        "FunctionReturn",
        record,
        function_return=encodable(text),
        status=status,
        function_call_id=record.tool_call_id,
    )


def call_of(record: Message | Record) -> ToolCall | CallOfRecord:
    """Return the call of an answer.

    Raises:
        ValueError: The record has no call.
    """
    if not record.tool_calls:
        raise ValueError(
            f"message {record.id!r} of a 'Running' message needs the call as "
            "tool_calls[0]; got none"
        )
    return record.tool_calls[0]


def _parse(arguments: str) -> Any:
    """Return parsed arguments; empty ones mean {}, what is no JSON stays text."""
    # Raw control characters in strings are read, as where arguments are streamed.
    return parsed(arguments, arguments) if arguments else {}


def _spoken(
    call: ToolCall | CallOfRecord,
    arguments: Any,
    function_name: str | None,
    argument: str,
) -> str | None:
    """Return the text of a call to the assistant function; None if it is none."""
    if function_name is None or call.function.name != function_name:
        return None
    text = arguments.get(argument) if isinstance(arguments, dict) else None
    if isinstance(text, str):
        return encodable(text)
    import logging  # not at the top: 5 ms of a start, for a case that is rare

    log = logging.getLogger(__name__)
    log.info("call %s of %s has no text under %r", call.id, function_name, argument)
    return None


def _message(
    make: MakeMessage, kind: str, record: Message | Record, **fields: Any
) -> StreamedMessage:
    return make(kind, record.id, record.created_at, fields)
