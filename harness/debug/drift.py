"""What reads a recording otherwise than it once did: an SDK, an interface, or neither.

Everything that matters is kept apart: the recording's own bytes (by digest), each
vendor's SDK (with the versions it was stored by), and each interface. A change is told
of the one whose reading changed; where the recording is not the one that was stored,
of that, as no reading can be blamed then.
"""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.core.text import first_difference
from harness.debug.difference import compare
from harness.debug.stored_readings import (
    Asked,
    SdkFile,
    TranscriptFile,
    digests,
    place_of,
)
from harness.engine.replay import replay
from harness.errors import InterfaceError, NothingToReplayError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cassettes.model import Cassette
    from harness.debug.sdk import Sdk, Sdks

_OURS = frozenset({"streaming", "queuing"})
_NOBODYS = frozenset({"agrees"})  # about the SDK's reading and ours together


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is read otherwise than it was stored."""

    by: str
    """Whose reading it is: an SDK (`openai`), an interface, or `recording`."""
    side: str
    """Who is to blame: `sdk`, `interface` or `recording`."""
    exchange: int | None
    """Number of the exchange; None where it is about the whole."""
    what: str
    """What changed: a path in the SDK's answer, or what was emitted."""
    stored: str | None
    """The stored text; None where there was nothing."""
    now: str | None
    """The text of today; None where there is nothing."""

    @property
    def at(self) -> int | None:
        """The first code point that differs; None where one side has nothing."""
        if self.stored is None or self.now is None:
            return None
        return first_difference(self.stored, self.now)

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "by": self.by,
            "side": self.side,
            "exchange": self.exchange,
            "what": self.what,
            "at": self.at,
            "stored": self.stored,
            "now": self.now,
        }


@dataclass(slots=True)
class Drift:
    """What became of one recording."""

    cassette: str
    """The path as it was named."""
    changes: list[Change] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    """Readers that were compared with what is stored."""
    missing: list[str] = field(default_factory=list)
    """Readers of which nothing is stored."""
    written: list[str] = field(default_factory=list)
    """Readers whose reading has been stored now."""
    versions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The version stored and that of today, by package, where one was stored."""
    disagreements: list[int] = field(default_factory=list)
    """Exchanges of which an SDK of today reads something else than harness."""

    @property
    def state(self) -> str:
        """`changed`, `new` (of a reader nothing is stored), or `same`."""
        if self.changes:
            return "changed"
        return "new" if self.missing else "same"

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "cassette": self.cassette,
            "state": self.state,
            "changes": [change.to_dict() for change in self.changes],
            "checked": self.checked,
            "missing": self.missing,
            "written": self.written,
            "versions": {
                name: {"stored": stored, "now": now}
                for name, (stored, now) in self.versions.items()
            },
            "disagreements": self.disagreements,
        }


@dataclass(eq=False)
class Drifter:
    """Compares recordings with what is stored of them.

    Args:
        asked: The interfaces to ask, and how; of what is stored, those that were asked
            when it was stored. None asks both of ours where nothing is stored.
        sdks: The vendors' SDKs; None leaves them out.
        store: See `harness.debug.stored_readings.place_of`.
        is_updating: Whether to store what is new and replace what has changed; without
            it nothing is ever written.
    """

    asked: Sequence[Asked] | None
    sdks: Sdks | None
    _: KW_ONLY
    store: str | None = None
    is_updating: bool = False
    _places: dict[Path, str] = field(init=False, default_factory=dict)

    def check(self, cassette: Cassette, base: str) -> Drift:
        """Read a recording again.

        Args:
            cassette: The recording; it can be read again (no pipe).
            base: What was named on the command line.

        Returns:
            What changed, and what was stored.

        Raises:
            CassetteError: A stored reading cannot be read or written.
            UsageError: Two recordings would have one place in the store.
            NothingToReplayError: The recording holds no chat completion, and nothing
                is stored of it.
        """
        place = place_of(cassette.path, self.store, base)
        other = self._places.setdefault(place, cassette.path)
        if other != cassette.path:
            raise UsageError(
                f"{cassette.path} and {other} would both be kept in {place}; name a "
                "folder above both, or leave out --store"
            )
        drift = Drift(cassette.path)
        recording = digests(cassette)
        for asked in self._ways(place):
            path = place / TranscriptFile.name(asked)
            self._check_interface(drift, cassette, asked, path, recording)
        for sdk in [] if self.sdks is None else self.sdks.of(cassette):
            self._check_sdk(drift, sdk, cassette, place / f"{sdk.name}.json", recording)
        return drift

    def _ways(self, place: Path) -> list[Asked]:
        """Return how to read: as it was stored, unless that is to be replaced."""
        stored = {
            path.name: TranscriptFile.read(path).asked
            for path in sorted(place.glob("*.jsonl"))
        }
        if self.asked is None:
            return [*stored.values()] or [Asked("streaming"), Asked("queuing")]
        if self.is_updating:
            return [*self.asked]
        return [stored.get(TranscriptFile.name(one), one) for one in self.asked]

    def _check_interface(
        self,
        drift: Drift,
        cassette: Cassette,
        asked: Asked,
        path: Path,
        recording: list[str],
    ) -> None:
        by = asked.interface
        stored = TranscriptFile.read(path) if path.exists() else None
        try:
            transcript = replay(
                cassette,
                asked.interface,
                mode=asked.mode,
                options=asked.options,
                reasoning=asked.reasoning,
            )
        except (InterfaceError, NothingToReplayError) as error:
            if stored is None and isinstance(error, NothingToReplayError):
                raise
            change = Change(by, "interface", None, "raised", None, str(error))
            drift.changes.append(change)
            return
        now = TranscriptFile.of(transcript, asked, recording)
        found = [] if stored is None else list(_emitted(stored, now))
        self._settle(drift, by, stored, now, found, path)

    def _check_sdk(
        self,
        drift: Drift,
        sdk: Sdk,
        cassette: Cassette,
        path: Path,
        recording: list[str],
    ) -> None:
        stored = SdkFile.read(path) if path.exists() else None
        now = SdkFile(sdk.name, sdk.read(cassette), recording, sdk.versions)
        drift.disagreements += [
            one["exchange"] for one in now.exchanges if not one["agrees"]
        ]
        found = [] if stored is None else list(_read(stored, now))
        self._settle(drift, sdk.name, stored, now, found, path)

    def _settle(
        self,
        drift: Drift,
        by: str,
        stored: TranscriptFile | SdkFile | None,
        now: TranscriptFile | SdkFile,
        found: list[Change],
        path: Path,
    ) -> None:
        """Note what was found by one reader, and store its reading where asked."""
        is_other = stored is None
        if stored is None:
            drift.missing.append(by)
        else:
            drift.checked.append(by)
            drift.versions |= {
                name: (version, now.versions.get(name, ""))
                for name, version in stored.versions.items()
            }
            rerecorded = list(_rerecorded(stored.recording, now.recording))
            if rerecorded:
                found = [replace(change, side="recording") for change in found]
                drift.changes += [one for one in rerecorded if one not in drift.changes]
            drift.changes += found
            is_other = bool(found or rerecorded) or stored.head() != now.head()
        if self.is_updating and is_other:
            now.write(path)
            drift.written.append(by)


def _rerecorded(stored: list[str], now: list[str]) -> Iterator[Change]:
    for number, (old, new) in enumerate(zip_longest(stored, now)):
        if old != new:
            yield Change("recording", "recording", number, "bodies", old, new)


def _emitted(stored: TranscriptFile, now: TranscriptFile) -> Iterator[Change]:
    """Yield what an interface does otherwise: its content before its cuts."""
    by = now.asked.interface
    is_ours = by in _OURS  # our ids and dates come from the recording; others' may not
    difference = compare(stored.side, now.side, is_exact=is_ours)
    for change in difference.said:
        texts = (None if side is None else side.text for side in (change.a, change.b))
        yield Change(by, "interface", change.one.exchange, change.one.kind, *texts)
    first = difference.first
    if first is not None and not difference.said:
        count = sum(
            max(len(change.a), len(change.b))
            for change in difference.changes
            if not change.is_same
        )
        rows = [side[0] if side else None for side in (first.a, first.b)]
        (exchange, *_) = (row.exchange for row in rows if row is not None)
        shown = (None if row is None else json.dumps(row.to_dict()) for row in rows)
        what = f"emissions ({count} of {len(stored.side.rows)})"
        yield Change(by, "interface", exchange, what, *shown)
    old, new = stored.diagnostics, now.diagnostics
    gone = [text for text in old if text not in new]
    come = [text for text in new if text not in old]
    for before, after in zip_longest(gone, come):
        yield Change(by, "interface", None, "diagnostic", before, after)


def _read(stored: SdkFile, now: SdkFile) -> Iterator[Change]:
    """Yield what an SDK reads otherwise, each value that changed."""
    old = {one["exchange"]: one for one in stored.exchanges}
    new = {one["exchange"]: one for one in now.exchanges}
    for number in sorted({*old, *new}):
        if number not in old or number not in new:
            texts = (_text(one.get(number)) for one in (old, new))
            yield Change(now.reader, "sdk", number, "answer", *texts)
            continue
        for path, before, after in _changed(old[number], new[number]):
            if path not in _NOBODYS:
                shown = (_text(before), _text(after))
                yield Change(now.reader, "sdk", number, path, *shown)


def _changed(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the values that differ, by the path to them."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = {key: (old.get(key), new.get(key)) for key in {**old, **new}}
    elif isinstance(old, list) and isinstance(new, list):
        both = enumerate(zip_longest(old, new))
        pairs = {str(number): pair for number, pair in both}
    else:
        if old != new:
            yield path, old, new
        return
    for key, (before, after) in pairs.items():
        yield from _changed(before, after, f"{path}.{key}" if path else key)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
