"""Which format an input has, decided by its first block.

Owns the list of accepted formats and nothing else: a name's ending never counts,
so that a recording saved as `stream.txt` replays like `stream.sse`.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

from harness.apis.json_values import is_object
from harness.cassettes.journal_text import JOURNAL_START
from harness.core.aws_event_stream import is_aws_event_stream
from harness.core.patterns import late


class Format(StrEnum):
    """What a file holds."""

    YAML = "YAML"
    """A cassette; also whatever is none of the others, so that YAML can complain."""
    JSON = "JSON"
    """One JSON document: a cassette, or a whole chat completion."""
    JSON_LINES = "JSON lines"
    """One chunk a line."""
    SSE = "SSE text"
    """An event stream as `curl -N` saves it."""
    HTTP = "HTTP response"
    """A response with its head, as `curl -i` saves it."""
    AWS = "AWS event stream"
    """The body of a Bedrock stream, in binary."""
    JOURNAL = "journal"
    """What a recording that did not end left beside its cassette."""


# With the separator of JSON text sequences (RFC 7464).
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x1e]*")
_SSE_FIELD = late(rb"(?:data|event|id|retry)?:")
_SIZE_LINE = late(rb"[0-9a-fA-F]{1,8}(?:;[^\r\n]*)?\r?\n(?=(?:data|event|id|retry)?:)")
_DATA_LINE = late(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?data:")
# `{key: ...` is YAML, `[2026-01-01 ...` and `[INFO]` begin the lines of a log.
_JSON = late(
    rb"\[\s*(?:[\[{\"\]]|\Z|(?:-?[\d.]+(?:[eE][+-]?\d+)?|true|false|null)\s*(?:[,\]]|\Z))"
    rb"|\{\s*(?:[\"}]|\Z)"
)
_STATUS_LINE = late(rb"HTTP/\d(?:\.\d)? \d{3}[ \r\n]")

_PACKED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -d"),
    (b"x\x9c", "zlib", "pigz -d"),
    (b"x\xda", "zlib", "pigz -d"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "xz -d"),
)
_MAGIC = (
    (b"\xd4\xc3\xb2\xa1", "a capture of packets; save what Wireshark follows"),
    (b"\n\r\r\n", "a capture of packets; save what Wireshark follows"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG image"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
)
COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What sets colours and modes of a terminal in the middle of a text."""
_FLOWS = late(rb"\d+:\d+:(?:websocket|version|response|request|type|id);")
_VERCEL = late(rb"(?:0:\"|f:\{\"messageId)[^\n]*\n")
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def encoding_of(head: bytes) -> str:
    """Name the encoding of text that is not UTF-8, as PowerShell's `>` writes it.

    Args:
        head: The beginning of the input.

    Returns:
        A codec's name; empty where it may be UTF-8. Without a byte order mark text is
        UTF-16 where every other byte of a long beginning is NUL, and no other one.
    """
    if head.startswith(_UTF32):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = head[:64]
    even, odd = start[::2], start[1::2]
    if len(start) >= 16 and start.isascii():
        if not any(odd) and all(even):
            return "utf-16-le"
        if not any(even) and all(odd):
            return "utf-16-be"
    return ""


def strange(head: bytes) -> str:
    """Name what can be no input at all.

    Args:
        head: The beginning of the input.

    Returns:
        What it is and what to do, or an empty string where it may be text.
    """
    if head[:1].isdigit() and _FLOWS.match(head):
        return (
            "holds flows of mitmproxy; write them as HAR "
            "(`mitmdump -nr FILE --set hardump=FILE.har`)"
        )
    if head.startswith((b"0:", b"f:")) and _VERCEL.match(head):
        return "is a stream of the Vercel AI SDK, version 4, which is not read"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return f"is no text, but {name}"
    for magic, name, command in _PACKED:
        if head.startswith(magic):
            undo = f"unpack it first (`{command} -c FILE | harness replay -`)"
            return f"is no text, but {name} data; {undo}"
    if head.find(b"\0") >= 0 and detect_format(head, is_whole=False) is Format.YAML:
        return "holds binary data; name a cassette, SSE text or JSON lines"
    return ""


def detect_format(head: bytes, *, is_whole: bool) -> Format:
    """Return the format of an input.

    Args:
        head: Its first block.
        is_whole: There is nothing after it.

    Returns:
        The format; `YAML` where no other fits.
    """
    if head.startswith(JOURNAL_START):
        return Format.JOURNAL
    if is_aws_event_stream(head):
        return Format.AWS
    blank = _BLANK.match(head)
    text = head[blank.end() :] if blank else head
    if text.startswith(b"HTTP/") and _STATUS_LINE.match(text):
        return Format.HTTP
    if size := _SIZE_LINE.match(text):  # of the chunked transfer encoding
        text = text[size.end() :]
    is_indented = blank and blank[0][-1:] in {b" ", b"\t"}  # which takes all of it
    if (
        _SSE_FIELD.match(text)
        and not is_indented
        and (_DATA_LINE.search(head) or _only_comments(text))
    ):
        return Format.SSE
    if text.startswith((b"[", b"{")) and _JSON.match(text):
        return _detect_json(text, is_whole=is_whole)
    return Format.YAML


def _only_comments(text: bytes) -> bool:
    """Return whether a stream has sent nothing but keep-alive comments so far."""
    return all(line.startswith(b":") for line in text.split() if b":" in line)


def _detect_json(text: bytes, *, is_whole: bool) -> Format:
    line, newline, rest = text.partition(b"\n")
    has_more = bool(rest.strip()) or (bool(newline) and not is_whole)
    is_row = has_more and is_object(line)
    return Format.JSON_LINES if is_row else Format.JSON


_STREAM_LINE = late(r"(?m)^.*?\bdata: ?(?:[\[{]).*$")
# As programs print SDKs' objects: Java, Go, Rust; LangChain and servers.
_PRINTED = late(
    r"chat\.completion|ChatCompletion|ChoiceDelta|(?i:finish_?reason)"
    r"|additional_kwargs=|\(streaming delta\)|\bdone=(?:True|False)\b"
)
_COMMAND = late(r"(?m)^[$> ]*(?:await )?(?:curl(?:\.exe)? |fetch\(|Invoke-\w+ ).*$")
_UNREAD = {
    _STREAM_LINE: "begins an event stream, and what stands around it is in no format "
    "that is read; try `tail -n +{line} FILE | harness replay -`",
    _PRINTED: "holds {found!r}, of an object as a program prints it; that is not read: "
    "print it as JSON, or save the response (`curl -N`)",
    _COMMAND: "is a request that no answer follows; run it, and save what comes",
}


def unread_text(text: str, *, is_yaml: bool) -> str:
    """Return where text holds an answer that is not read, and what to do; or nothing.

    Args:
        text: Text in no format that is read.
        is_yaml: It is YAML of something else, whose words do not count.
    """
    for pattern, problem in list(_UNREAD.items())[: 1 if is_yaml else None]:
        if found := pattern.search(text):
            line = text.count("\n", 0, found.start()) + 1
            return f"line {line} {problem.format(line=line, found=found[0])}"
    return ""
