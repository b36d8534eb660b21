"""What a writer of messages keeps of a call, and what no message can carry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.apis.json_values import is_object
from harness.apis.tables import tables_of
from harness.core.text import TextBuffer

if TYPE_CHECKING:
    from harness.core.parts import ToolCall


WHOLE_BLOCKS = frozenset(tables_of("anthropic")["blocks kept whole"].split())
"""Blocks of server tools that are written as they came; their results too."""

_MOST_CHECKS = 100  # how often a call is looked at for being whole: it costs its length


class WrittenCall:
    """A call that is being written, or was."""

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.is_custom = call.type == "custom"
        self.caller: object = None
        """Who called, where the source has it."""
        self.text = TextBuffer()
        self.waiting: list[str] = []
        """Its pieces that came before its name."""
        self.has_started = False
        self.is_written = False
        self.may_be_whole = False
        self.checks = 0

    def add(self, piece: str) -> str:
        """Add a piece of the arguments; return what an input has of it."""
        if self.is_custom:
            return json.dumps(piece, ensure_ascii=False)[1:-1]
        self.text.append(piece)
        if end := piece.rstrip():  # blanks change nothing
            self.may_be_whole = end[-1] == "}"
        return piece

    def is_whole(self) -> bool:
        """Return whether its arguments are a whole object, so that no more can come."""
        if not self.may_be_whole or not self.call.name or self.checks >= _MOST_CHECKS:
            return False
        self.checks += 1
        return is_object(str(self.text))
