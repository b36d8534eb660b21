"""Argument handlers with one planted bug each; `Reparsing` is slow and right."""

from __future__ import annotations

import json
from typing import Any

from harness import FunctionArgumentsStreamHandler

_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Reparsing:
    """Not a bug: parses everything that has come, again and again."""

    def __init__(self, json_key: str = "message") -> None:
        self.json_key = json_key
        self._all = ""
        self._shown = 0

    def process_json_chunk(self, chunk: str) -> str | None:
        self._all += chunk
        handler = FunctionArgumentsStreamHandler(self.json_key)
        text = handler.process_json_chunk(self._all) or ""
        new, self._shown = text[self._shown :], len(text)
        return new or None


class _Scanner:
    """A plain machine that reads one character at a time; the bugs are its hooks."""

    def __init__(self, json_key: str = "message") -> None:
        self.json_key = json_key
        self._depth = 0
        self._string: list[str] | None = None
        self._escape = ""
        self._high = ""
        self._key: str | None = None
        self._wants_value = False
        self._is_text = False

    def is_key(self, key: str) -> bool:
        return key == self.json_key

    def at_depth(self, depth: int) -> bool:
        return depth == 1

    def process_json_chunk(self, chunk: str) -> str | None:
        out = [text for c in chunk if (text := self._read(c))]
        return "".join(out) or None

    def _read(self, c: str) -> str:
        if self._string is not None:
            return self._read_string(c)
        if c == '"':
            self._string = []
            self._is_text = (
                self._wants_value
                and self.at_depth(self._depth)
                and self._key is not None
                and self.is_key(self._key)
            )
        elif c in "{[":
            self._depth += 1
            self._wants_value = False
        elif c in "}]":
            self._depth -= 1
            self._wants_value = False
        elif c == ":":
            self._wants_value = True
        elif c == ",":
            self._wants_value = False
        return ""

    def _read_string(self, c: str) -> str:
        assert self._string is not None
        if not self._escape and c == '"':
            lost = "\ufffd" if self._high else ""
            self._high = ""
            if not self._wants_value and self.at_depth(self._depth):
                self._key = "".join(self._string)
            self._string = None
            return lost if self._is_text else ""
        text = self.decode(c)
        self._string.append(text)
        return text if self._is_text else ""

    def decode(self, c: str) -> str:
        if not self._escape:
            if c == "\\":
                self._escape = c
                return ""
            return self._flushed(c)
        self._escape += c
        kind = self._escape[1]
        if kind == "u" and len(self._escape) < 6:
            return ""
        escape, self._escape = self._escape, ""
        if kind == "u":
            digits = escape[2:]
            is_hex = all(digit in "0123456789abcdefABCDEF" for digit in digits)
            return self.unit(int(digits, 16) if is_hex else 0xFFFD)
        return self._flushed(_SHORT.get(kind, kind))

    def unit(self, code: int) -> str:
        if 0xD800 <= code < 0xDC00:
            lost = "\ufffd" if self._high else ""
            self._high = chr(code)
            return lost
        if 0xDC00 <= code < 0xE000 and self._high:
            pair = self._high + chr(code)
            self._high = ""
            return pair.encode("utf-16", "surrogatepass").decode("utf-16")
        return self._flushed(chr(code))

    def _flushed(self, text: str) -> str:
        lost = "\ufffd" if self._high else ""
        self._high = ""
        return lost + text


class SplitEscape(_Scanner):
    """Forgets an unfinished escape at the end of a fragment."""

    def process_json_chunk(self, chunk: str) -> str | None:
        self._escape = ""
        return super().process_json_chunk(chunk)


class LostSurrogate(_Scanner):
    """Forgets the high half of a pair at the end of a fragment."""

    def process_json_chunk(self, chunk: str) -> str | None:
        self._high = ""
        return super().process_json_chunk(chunk)


class HalfPairs(_Scanner):
    """Shows the halves of a pair one by one."""

    def unit(self, code: int) -> str:
        return chr(code)


class RawEscapes(_Scanner):
    r"""Shows `\n` as a backslash and an n."""

    def decode(self, c: str) -> str:
        if c == "\\" and not self._escape:
            self._escape = c
            return ""
        before, self._escape = self._escape, ""
        return before + c


class KeyBeginsWith(_Scanner):
    """Takes `message_id` for `message`."""

    def is_key(self, key: str) -> bool:
        return key.startswith(self.json_key)


class KeyInside(_Scanner):
    """Takes the key of an inner object for its own."""

    def at_depth(self, depth: int) -> bool:
        return depth >= 1


class KeyInText:
    """Looks for the quoted key anywhere in the text, also inside strings."""

    def __init__(self, json_key: str = "message") -> None:
        self._key = f'"{json_key}"'
        self._inner = FunctionArgumentsStreamHandler(json_key)
        self._head = ""
        self._is_found = False

    def process_json_chunk(self, chunk: str) -> str | None:
        if self._is_found:
            return self._inner.process_json_chunk(chunk)
        self._head += chunk
        place = self._head.find(self._key)
        if place < 0:
            return None
        self._is_found = True
        return self._inner.process_json_chunk("{" + self._head[place:])


class TrimsFragments:
    """Strips each fragment, and so loses blanks at the cuts."""

    def __init__(self, json_key: str = "message") -> None:
        self._inner = FunctionArgumentsStreamHandler(json_key)

    def process_json_chunk(self, chunk: str) -> str | None:
        return self._inner.process_json_chunk(chunk.strip())


class CrashesOnBroken:
    """Parses with `json` whenever a fragment ends in a brace."""

    def __init__(self, json_key: str = "message") -> None:
        self._key = json_key
        self._all = ""
        self._inner = FunctionArgumentsStreamHandler(json_key)

    def process_json_chunk(self, chunk: str) -> str | None:
        self._all += chunk
        if chunk.endswith("}"):
            value: Any = json.loads(self._all)
            assert self._key
            del value
        return self._inner.process_json_chunk(chunk)
