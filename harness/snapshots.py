"""Snapshots of transcripts: a syrupy extension that stores one emission a line.

Owns the stored form and how a difference is shown. The file is JSON lines in a fixed
order: a head, the emissions, the diagnostics; a changed emission is a changed line.
Nothing in it is volatile: ids and dates of our own interfaces come from the
cassette, and they are stored too, since losing or mixing them is a bug that users
see. So that they do not drown the content, the fields that many messages share
(`STAMP_FIELDS`) stand once, in a line before the first message that has them, and
emissions name that stamp by number. An interface of yours that draws random ids or
reads a clock leaves them out::

    assert replay(cassette, Mine()) == snapshot(exclude=props("id", "date"))

Needs the extra `snapshots`. Path of a snapshot: syrupy's single-file default,
``__snapshots__/<test file>/<test name>.jsonl``, special characters percent-encoded.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
    from syrupy.terminal import context_style, received_style, reset, snapshot_style
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "harness.snapshots needs the extra `snapshots`: "
        "pip install 'agent-stream-harness[snapshots]'",
        name=_error.name,
    ) from None

from harness.agents.letta.light_messages import STAMP_FIELDS
from harness.core.text import first_difference
from harness.engine.transcript import Transcript
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.location import PyTestLocation
    from syrupy.types import (
        PropertyFilter,
        PropertyMatcher,
        PropertyPath,
        SnapshotIndex,
    )

__all__ = ["STAMP_FIELDS", "TranscriptSnapshotExtension", "snapshot_text"]

_VERSION = 1  # of the stored form
_CONTEXT_LINES = 2
_SHOWN_BEFORE = 60  # characters of a long line before its first difference
_SHOWN_AFTER = 100

_LONGEST = 230  # bytes of a file's name, the ending and syrupy's index not counted
_UNSAFE = re.compile(r'[\\/?*:|"<>%\x00-\x1f\x7f]')

_ITEM = re.compile(r'\{"exchange": (\d+), "chunk": (\d+|null)')


def snapshot_text(
    transcript: Transcript,
    *,
    exclude: PropertyFilter | None = None,
    include: PropertyFilter | None = None,
    matcher: PropertyMatcher | None = None,
) -> str:
    """Return the stored form of a transcript.

    Args:
        transcript: What a replay returned.
        exclude: A syrupy filter, such as ``props("id", "date")``: fields left out.
        include: A syrupy filter: the fields kept.
        matcher: A syrupy matcher, which may replace a value.

    Returns:
        JSON lines: a head, each emission, each diagnostic; characters that do
        not show are escaped. The same transcript gives the same text on every
        machine; the cassette's path is not in it.
    """
    data = {
        "interface": transcript.interface,
        "emissions": [emission.to_dict() for emission in transcript.emissions],
        "diagnostics": [
            {
                key: value
                for key, value in asdict(found).items()
                # Kind and place alone: a better wording of ours is no change of what
                # an agent emits.
                if value is not None and key not in {"because", "excerpt", "text"}
            }
            for found in transcript.diagnostics
        ],
    }
    data = _filtered(data, (), exclude, include, matcher)
    head = {key: data[key] for key in ("interface",) if key in data}
    lines = [_shown({"version": _VERSION} | head)]
    stamps: dict[str, int] = {}
    for emission in data.get("emissions", []):
        lines += _stamped(emission, stamps)
    lines += [_shown({"diagnostic": found}) for found in data.get("diagnostics", [])]
    return "\n".join([*lines, ""])


def _filtered(
    value: Any,
    path: PropertyPath,
    exclude: PropertyFilter | None,
    include: PropertyFilter | None,
    matcher: PropertyMatcher | None,
) -> Any:
    """Apply syrupy's filters and matcher, as its own extensions do."""
    if matcher is not None:
        value = matcher(data=value, path=path)

    def below(key: Any, inner: Any) -> Any:
        deeper = (*path, (key, type(inner)))
        return _filtered(inner, deeper, exclude, include, matcher)

    if isinstance(value, dict):
        return {
            key: below(key, inner)
            for key, inner in value.items()
            if not (exclude and exclude(prop=key, path=path))
            and (include is None or include(prop=key, path=path))
        }
    if isinstance(value, list):
        return [below(index, inner) for index, inner in enumerate(value)]
    return value


def _stamped(emission: Any, stamps: dict[str, int]) -> list[str]:
    """Return an emission's line, after the line of its stamp where that is new."""
    message = emission.get("message") if isinstance(emission, dict) else None
    if not isinstance(message, dict):
        return [_shown(emission)]
    stamp = {key: message[key] for key in STAMP_FIELDS if key in message}
    if not stamp:
        return [_shown(emission)]
    text = _shown(stamp)
    is_new = text not in stamps
    number = stamps.setdefault(text, len(stamps))
    said = {key: message[key] for key in message if key not in stamp}
    line = {key: value for key, value in emission.items() if key != "message"}
    shown = _shown(line | {"stamp": number, "message": said})
    return [_shown({"stamp": number} | stamp), shown] if is_new else [shown]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else json.dumps(char)[1:-1] for char in text
    )


class TranscriptSnapshotExtension(SingleFileSnapshotExtension):
    """Stores each transcript in a file of its own, one emission a line.

    Use it as ``snapshot.use_extension(TranscriptSnapshotExtension)`` (given to the
    call, ``snapshot(extension_class=...)``, syrupy shows differences in its own way);
    its options (`--snapshot-update`, ...) and its report of unused snapshots apply. A
    mismatch names where the first difference is and shows the changed emissions,
    the stored one by ``-``, the new one by ``+``, with a mark below.

    Source: syrupy 7, single-file extension API.
    """

    _write_mode = WriteMode.TEXT
    file_extension = "jsonl"

    @classmethod
    def get_snapshot_name(
        cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0
    ) -> str:
        """Return the name of a snapshot's file, without ending.

        Args:
            test_location: The test.
            index: Which snapshot of the test.

        Returns:
            The test's name, with what syrupy leaves out percent-encoded: to leave it
            out would give `test_x[a:b]` and `test_x[ab]` one file. A name that is
            too long for a file ends in a hash.
        """
        suffix = f"[{index}]" if isinstance(index, str) else f".{index}" * bool(index)
        return _file_name(f"{test_location.snapshot_name}{suffix}")

    @classmethod
    def matches_test_location(
        cls, *, test_location: PyTestLocation, snapshot_location: str
    ) -> bool:
        """Return whether a file holds a snapshot of a test."""
        # Asked of every test and every file: names first, to resolve paths takes long.
        path, base = Path(snapshot_location), test_location.basename
        names = (
            test_location.snapshot_name_parametrized,
            _file_name(test_location.snapshot_name),
        )
        is_named = base == path.parent.name and (
            not test_location.is_item_parametrized
            or any(
                path.stem == n or path.stem.startswith((f"{n}.", f"{n}["))
                for n in names
            )
        )
        is_of_module = is_named or base == path.stem
        return is_of_module and test_location.matches_snapshot_site(snapshot_location)

    def serialize(
        self,
        data: Any,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> str:
        """Return the stored form of a transcript; see `snapshot_text`.

        Args:
            data: A `Transcript`.
            exclude: Leaves out what it returns true for, such as syrupy's `props`.
            include: Keeps only what it returns true for.
            matcher: Puts something else for a value.

        Returns:
            The text of the file.

        Raises:
            UsageError: It is no transcript.
        """
        if not isinstance(data, Transcript):
            raise UsageError(
                f"a transcript snapshot holds a Transcript, got {type(data).__name__}; "
                "compare what `harness.replay` returned, or use another extension"
            )
        return snapshot_text(data, exclude=exclude, include=include, matcher=matcher)

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Return what differs, changed lines alone.

        Args:
            serialized_data: What came now.
            snapshot_data: What is stored.

        Yields:
            Lines for the test report: a summary, then a unified difference.
        """
        for line in _difference(str(snapshot_data), str(serialized_data)):
            style = {"-": snapshot_style, "+": received_style}.get(
                line[:1], context_style
            )
            yield reset(style(line))


@cache
def _file_name(name: str) -> str:
    text = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02x}", name)
    if len(text.encode()) <= _LONGEST:
        return text
    mark = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{text.encode()[: _LONGEST - 17].decode('utf-8', 'ignore')}~{mark}"


def _difference(stored: str, came: str) -> Iterator[str]:
    old, new = stored.split("\n")[:-1], came.split("\n")[:-1]
    before, after = (sum(bool(_ITEM.match(x)) for x in lines) for lines in (old, new))
    if not stored:
        yield f"{after} emissions, none are stored"
        yield from (f"+ {_around(line, 0)}" for line in new)
        return
    place = _first_place(old, new)
    yield f"{after} emissions, stored are {before}; first difference {place}"
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT_LINES):
        yield f"@@ line {group[0][1] + 1}"
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                yield from (f"  {_around(line, 0)}" for line in old[i:i_end])
                continue
            pairs = min(i_end - i, j_end - j)
            for left, right in zip(old[i:i_end], new[j:j_end], strict=False):
                yield from _changed(left, right)
            yield from (f"- {_around(x, 0)}" for x in old[i + pairs : i_end])
            yield from (f"+ {_around(x, 0)}" for x in new[j + pairs : j_end])


def _first_place(old: list[str], new: list[str]) -> str:
    for number, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            found = _ITEM.match(right) or _ITEM.match(left)
            if found is None:
                return f"in line {number + 1}"
            return f"at exchange {found[1]}, chunk {found[2]}"
    return f"at the end, line {min(len(old), len(new)) + 1}"


def _changed(left: str, right: str) -> Iterator[str]:
    """Show two versions of a line from shortly before their first difference."""
    same = first_difference(left, right)
    start = same - _SHOWN_BEFORE if same > 2 * _SHOWN_BEFORE else 0
    yield f"- {_around(left, start, same)}"
    yield f"+ {_around(right, start, same)}"
    yield " " * (2 + same - start + (1 if start else 0)) + "^ from here on"


def _around(line: str, start: int, focus: int = 0) -> str:
    end = max(focus, start) + _SHOWN_AFTER
    cut = "…" if len(line) > end else ""
    return ("…" if start else "") + line[start:end] + cut
