"""Record, replay, snapshot and fuzz streamed LLM agents.

Everything public is imported from here and loaded on first use, so that `import
harness` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.agents.letta.agent_interface import (
        AgentChunkStreamingInterface,
        AgentInterface,
    )
    from harness.agents.letta.light_messages import MessageStreamStatus
    from harness.agents.letta.messages import (
        AssistantMessage,
        FunctionCall,
        FunctionCallDelta,
        FunctionCallMessage,
        FunctionReturn,
        InternalMonologue,
        LegacyFunctionCallMessage,
        Message,
        SystemMessage,
        ToolCall,
        ToolCallFunction,
        UserMessage,
    )
    from harness.agents.letta.queuing import QueuingInterface
    from harness.agents.letta.streaming import StreamingServerInterface
    from harness.cassettes.load import load_cassette
    from harness.cassettes.model import Cassette
    from harness.core.json_arguments import FunctionArgumentsStreamHandler
    from harness.engine.agent_options import AgentOptions
    from harness.engine.replay import areplay, replay, replay_iter
    from harness.engine.transcript import Diagnostic, Emission, Transcript
    from harness.errors import (
        ArgumentsError,
        CassetteCorruptError,
        CassetteError,
        CassetteMismatchError,
        CassetteMissingError,
        ChunkError,
        HarnessError,
        InterfaceError,
        NothingToReplayError,
        ProtocolError,
        RecordingRefusedError,
        SSEError,
        StateError,
        StreamInactiveError,
        StreamTimeoutError,
        UnrecordedConnectionError,
        UsageError,
    )
    from harness.record.use_cassette import use_cassette

__version__ = "0.2.0"

__all__ = [
    "AgentChunkStreamingInterface",
    "AgentInterface",
    "AgentOptions",
    "ArgumentsError",
    "AssistantMessage",
    "Cassette",
    "CassetteCorruptError",
    "CassetteError",
    "CassetteMismatchError",
    "CassetteMissingError",
    "ChunkError",
    "Diagnostic",
    "Emission",
    "FunctionArgumentsStreamHandler",
    "FunctionCall",
    "FunctionCallDelta",
    "FunctionCallMessage",
    "FunctionReturn",
    "HarnessError",
    "InterfaceError",
    "InternalMonologue",
    "LegacyFunctionCallMessage",
    "Message",
    "MessageStreamStatus",
    "NothingToReplayError",
    "ProtocolError",
    "QueuingInterface",
    "RecordingRefusedError",
    "SSEError",
    "StateError",
    "StreamInactiveError",
    "StreamTimeoutError",
    "StreamingServerInterface",
    "SystemMessage",
    "ToolCall",
    "ToolCallFunction",
    "Transcript",
    "UnrecordedConnectionError",
    "UsageError",
    "UserMessage",
    "areplay",
    "load_cassette",
    "replay",
    "replay_iter",
    "use_cassette",
]

_ROOMS = {
    "harness.core.json_arguments": ["FunctionArgumentsStreamHandler"],
    "harness.agents.letta.agent_interface": [
        "AgentChunkStreamingInterface",
        "AgentInterface",
    ],
    "harness.agents.letta.light_messages": ["MessageStreamStatus"],
    "harness.agents.letta.queuing": ["QueuingInterface"],
    "harness.agents.letta.streaming": ["StreamingServerInterface"],
    "harness.agents.letta.messages": [
        "AssistantMessage",
        "FunctionCall",
        "FunctionCallDelta",
        "FunctionCallMessage",
        "FunctionReturn",
        "InternalMonologue",
        "LegacyFunctionCallMessage",
        "Message",
        "SystemMessage",
        "ToolCall",
        "ToolCallFunction",
        "UserMessage",
    ],
    "harness.engine.replay": ["areplay", "replay", "replay_iter"],
    "harness.engine.agent_options": ["AgentOptions"],
    "harness.engine.transcript": ["Diagnostic", "Emission", "Transcript"],
    "harness.record.use_cassette": ["use_cassette"],
    "harness.cassettes.model": ["Cassette"],
    "harness.cassettes.load": ["load_cassette"],
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


if not TYPE_CHECKING:  # or a checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        room = _ROOM_OF.get(name)
        if room is None:
            if name not in __all__:
                raise AttributeError(f"module 'harness' has no attribute {name!r}")
            room = "harness.errors"
        value: object = getattr(import_module(room), name)
        globals()[name] = value  # the next use does not come here
        return value


def __dir__() -> list[str]:
    # freezegun loads all that is listed, and pydantic cannot begin in frozen time.
    models = _ROOMS["harness.agents.letta.messages"]
    return sorted({*globals(), *(name for name in __all__ if name not in models)})
