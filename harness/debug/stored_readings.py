"""Readings of recordings kept on disk, to be compared with those of another day.

A folder for each recording, and in it a file for each reader: ``streaming.jsonl`` and
the like are transcripts that `harness diff` takes too, ``openai.json`` and the like
are what the SDK of that name made of it. No path, time or name of a machine is in them.
Owns the form and the place; what a difference means is `harness.debug.drift`'s.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.apis.json_values import parsed
from harness.cassettes.atomic import write_atomically
from harness.debug.sides import Side, load_stored, side_of
from harness.engine.agent_options import AgentOptions
from harness.errors import CassetteCorruptError, CassetteError

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette
    from harness.engine.transcript import Transcript

_FOLDER = "__drift__"  # as syrupy's `__snapshots__`

_VERSION = 1  # of both forms
_NO_NAME = re.compile(r"[^\w.-]+")  # `mine:Class` is no file name on every system


@dataclass(frozen=True, slots=True)
class Asked:
    """How a recording is read by an interface."""

    interface: str
    """`streaming`, `queuing` or `MODULE:NAME`."""
    mode: str | None = None
    """How a streaming interface is used; None is `tokens`."""
    options: AgentOptions = field(default_factory=AgentOptions)
    """What agent and interface agree on."""
    reasoning: bool = False
    """Whether reasoning is shown as content."""

    def to_dict(self) -> dict[str, Any]:
        """Return the stored form: the interface, and what is not the default."""
        default = AgentOptions()
        options = {
            key: value
            for key, value in asdict(self.options).items()
            if value != getattr(default, key)
        }
        data: dict[str, Any] = {"interface": self.interface}
        if self.mode not in {None, "tokens"}:
            data["mode"] = self.mode
        return data | options | ({"reasoning": True} if self.reasoning else {})

    @classmethod
    def of(cls, data: dict[str, Any]) -> Asked:
        """Read the stored form."""
        options = {key: data[key] for key in asdict(AgentOptions()) if key in data}
        return cls(
            str(data["interface"]),
            data.get("mode"),
            AgentOptions(**options),
            bool(data.get("reasoning", False)),
        )


def place_of(cassette: str, store: str | None, base: str) -> Path:
    """Return the folder in which the readings of a recording are kept.

    Args:
        cassette: The path of the recording.
        store: A folder for all of them; None keeps them beside the recording.
        base: What was named: the recording itself, or a folder that it was found in.

    Returns:
        ``__drift__/NAME`` beside the recording; or below the store by the path from
        the folder that was named.
    """
    path = Path(cassette)
    if store is None:
        return path.parent / _FOLDER / path.name
    inner = path.name if cassette == base else os.path.relpath(cassette, base)
    return Path(store) / inner


def digests(cassette: Cassette) -> list[str]:
    """Return a digest of each exchange's bodies: what was asked and what came.

    Times and headers are left out: no reading depends on the second, and the first
    are compared by those that do.
    """
    found = []
    for exchange in cassette.exchanges:
        digest = hashlib.sha256(exchange.request.body or b"")
        digest.update(b"\0")
        for _, data in exchange.response.iter_wire():  # a large body is not held
            digest.update(data)
        found.append(digest.hexdigest()[:16])
    return found


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """What an interface emitted, and of which recording."""

    asked: Asked
    side: Side
    diagnostics: list[str]
    recording: list[str]
    """See `digests`."""
    versions: dict[str, str]
    """Of what matters, by package."""

    @classmethod
    def of(
        cls, transcript: Transcript, asked: Asked, recording: list[str]
    ) -> TranscriptFile:
        """Make the stored form of a replay of today."""
        diagnostics = [str(found) for found in transcript.diagnostics]
        versions = {"harness": __version__}
        return cls(asked, side_of(transcript), diagnostics, recording, versions)

    @staticmethod
    def name(asked: Asked) -> str:
        """Return the file's name in the recording's folder."""
        return f"{_NO_NAME.sub('.', asked.interface)}.jsonl"

    def head(self) -> dict[str, Any]:
        """Return what stands before the emissions."""
        head = {"version": _VERSION, **self.asked.to_dict()}
        return {**head, "versions": self.versions, "recording": self.recording}

    def write(self, path: Path) -> None:
        """Write the head, the emissions and the diagnostics, one a line."""
        lines = [
            self.head(),
            *(row.to_dict() for row in self.side.rows),
            *({"diagnostic": text} for text in self.diagnostics),
        ]
        _write(path, "".join(f"{_json(line)}\n" for line in lines))

    @classmethod
    def read(cls, path: Path) -> TranscriptFile:
        """Read a stored transcript.

        Raises:
            CassetteCorruptError: It is none, or of another version; it is left alone.
        """
        first, *lines = _text(path).split("\n")
        head = _head(path, first)
        side = load_stored(str(path))
        if side is None:
            raise _not_ours(path)
        rows = (json.loads(line) for line in lines if line.strip())
        diagnostics = [str(row["diagnostic"]) for row in rows if "diagnostic" in row]
        return cls(
            Asked.of(head), side, diagnostics, head["recording"], head["versions"]
        )


@dataclass(frozen=True, slots=True)
class SdkFile:
    """What the SDK of a vendor made of a recording, and of which."""

    reader: str
    """The SDK's package; the file has its name."""
    exchanges: list[dict[str, Any]]
    """See `harness.debug.sdk.Sdk.read`."""
    recording: list[str]
    """See `digests`."""
    versions: dict[str, str]
    """Of what matters, by package."""

    def head(self) -> dict[str, Any]:
        """Return what stands before the exchanges."""
        head = {"version": _VERSION, "reader": self.reader, "versions": self.versions}
        return {**head, "recording": self.recording}

    def write(self, path: Path) -> None:
        """Write it with a key a line, so that what changed is a changed line."""
        data = {**self.head(), "exchanges": self.exchanges}
        _write(path, _json(data, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> SdkFile:
        """Read what was stored.

        Raises:
            CassetteCorruptError: It is none, or of another version; it is left alone.
        """
        data = _head(path, _text(path))
        reader = data.get("reader")
        if reader != path.stem or not isinstance(data["exchanges"], list):
            raise _not_ours(path)
        return cls(reader, data["exchanges"], data["recording"], data["versions"])


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _write(path: Path, text: str) -> None:
    # Half a surrogate pair, which UTF-8 cannot carry, becomes its escape in JSON.
    write_atomically(path, text.encode("utf-8", "backslashreplace"))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise CassetteError(str(path), f"cannot be read ({error.strerror})") from None


def _head(path: Path, text: str) -> dict[str, Any]:
    head = parsed(text, strict=True)
    if (
        not isinstance(head, dict)
        or head.get("version") != _VERSION
        or not isinstance(head.get("recording"), list)
        or not isinstance(head.get("versions"), dict)
    ):
        raise _not_ours(path)
    return head


def _not_ours(path: Path) -> CassetteCorruptError:
    return CassetteCorruptError(
        str(path),
        f"expected what `harness drift --update` stores (version {_VERSION}); it is "
        "left as it is: move it away to store anew",
    )
