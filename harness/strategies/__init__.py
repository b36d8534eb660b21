"""Hypothesis strategies for what streamed agents are fed; needs the extra `hypothesis`.

Everything a test of a consumer needs to draw: arguments as JSON texts in every
spelling, ways to cut, whole chunk streams and conversations whose truth is known,
and garbage. Each strategy's docstring explains what it makes and how it shrinks. Wrong
arguments raise hypothesis' own `InvalidArgument`, when the strategy is made.

Example:
    >>> from hypothesis import given, strategies as st
    >>> from harness.strategies import argument_texts, fragments
    >>> @given(argument_texts("message").flatmap(fragments))
    ... def test_my_parser(pieces): ...
"""

try:
    import hypothesis as _hypothesis  # noqa: F401 - only to see that it is there
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "harness.strategies needs the extra `hypothesis`: "
        "pip install 'agent-stream-harness[hypothesis]'",
        name=_error.name,
    ) from None

from harness.strategies.answers import Answer, SaidCall, answers
from harness.strategies.api_streams import ApiStream, api_streams
from harness.strategies.arguments import (
    argument_objects,
    argument_texts,
    spellings,
    string_texts,
    value_texts,
)
from harness.strategies.conversations import Conversation, conversations
from harness.strategies.cut_strategies import byte_pieces, cut_at, fragments, splits
from harness.strategies.garbage import (
    broken_argument_texts,
    disordered_payloads,
    garbage_bytes,
    garbage_payloads,
    garbage_texts,
)
from harness.strategies.streams import (
    ChunkStream,
    EventStream,
    chunk_streams,
    event_streams,
    framed_streams,
)

__all__ = [
    "Answer",
    "ApiStream",
    "ChunkStream",
    "Conversation",
    "EventStream",
    "SaidCall",
    "answers",
    "api_streams",
    "argument_objects",
    "argument_texts",
    "broken_argument_texts",
    "byte_pieces",
    "chunk_streams",
    "conversations",
    "cut_at",
    "disordered_payloads",
    "event_streams",
    "fragments",
    "framed_streams",
    "garbage_bytes",
    "garbage_payloads",
    "garbage_texts",
    "spellings",
    "splits",
    "string_texts",
    "value_texts",
]
