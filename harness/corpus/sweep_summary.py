"""What a sweep found, in numbers; and what two sweeps differ in."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.core.diagnostics import DiagnosticKind, Severity
from harness.corpus.sweeping import NO_RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.corpus.rows import Row


_WORST = 10
_NOTES = {kind.value for kind in DiagnosticKind if kind.severity is Severity.NOTE}


class Summary:
    """Counts of rows; holds no row.

    Args:
        examples: How many of the smallest failing streams of each kind are kept by id.
    """

    def __init__(self, examples: int = 0) -> None:
        self.streams = 0
        self.no_recordings = 0
        self.failing = 0
        self.seconds = 0.0
        self.verdicts: dict[str, Counter[str]] = {}
        self.kinds: Counter[str] = Counter()
        self.apis: Counter[str] = Counter()
        self.providers: Counter[str] = Counter()
        self.failing_providers: Counter[str] = Counter()
        self.apart: Counter[str] = Counter()
        self.apart_ids: list[str] = []
        self._examples = examples
        self._smallest: dict[str, list[tuple[int, str]]] = {}
        self._worst: list[tuple[int, str]] = []

    def add(self, row: Row) -> None:
        """Count a row."""
        if row["shape"] == NO_RECORDING:
            self.no_recordings += 1
            return
        self.streams += 1
        self.seconds += row["seconds"]
        if row["apart"]:
            self.apart[row["apart"]] += 1
            if len(self.apart_ids) < _WORST:
                self.apart_ids.append(row["id"])
            return
        self.apis[row["api"] or "none"] += 1
        self.providers[row["provider"] or "unknown"] += 1
        self.kinds.update(row["diagnostics"])
        for check, verdict in row["verdicts"].items():
            self.verdicts.setdefault(check, Counter())[verdict] += 1
        if not {"found", "failed"}.isdisjoint(row["verdicts"].values()):
            self.failing += 1
            self.failing_providers[row["provider"] or "unknown"] += 1
            self._keep(row)

    def _keep(self, row: Row) -> None:
        found = row["diagnostics"].items()
        kinds = {kind: count for kind, count in found if kind not in _NOTES}
        _push(self._worst, (sum(kinds.values()), row["id"]), _WORST)
        for kind in kinds:
            heap = self._smallest.setdefault(kind, [])
            _push(heap, (-row["size"], row["id"]), self._examples)

    @property
    def worst(self) -> list[tuple[int, str]]:
        """The streams with the most findings: their number and the id."""
        return sorted(self._worst, reverse=True)

    @property
    def examples(self) -> dict[str, list[str]]:
        """By kind the ids of the smallest failing streams, smallest first."""
        return {
            kind: [name for _, name in sorted(heap, reverse=True)]
            for kind, heap in sorted(self._smallest.items())
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "streams": self.streams,
            "failing": self.failing,
            "apart": dict(self.apart),
            "apart_ids": self.apart_ids,
            "no_recordings": self.no_recordings,
            "core_seconds": round(self.seconds, 3),
            "verdicts": {check: dict(c) for check, c in self.verdicts.items()},
            "kinds": dict(self.kinds.most_common()),
            "apis": dict(self.apis.most_common()),
            "providers": dict(self.providers.most_common()),
            "failing_providers": dict(self.failing_providers.most_common()),
            "worst": [{"id": name, "findings": count} for count, name in self.worst],
        }

    def lines(self) -> Iterator[str]:
        """Yield it as text."""
        for check, counts in self.verdicts.items():
            listed = ", ".join(
                f"{n} {verdict}" for verdict, n in sorted(counts.items())
            )
            yield f"{check}: {listed}"
        for title, counts in (
            ("by kind", self.kinds),
            ("by API", self.apis),
            ("by provider", self.providers),
            ("failing by provider", self.failing_providers),
        ):
            if counts:
                yield counts_line(title, counts)
        for count, name in self.worst:
            yield f"worst: {name} ({count} findings)"
        for reason, count in self.apart.most_common(20):
            yield f"set apart: {count}: {reason}"
        if self.apart_ids:
            yield f"set apart: {', '.join(self.apart_ids)}"


def counts_line(title: str, counts: Counter[str]) -> str:
    """Return a line with the most common ones, and how many more there are."""
    listed = ", ".join(f"{name} {n}" for name, n in counts.most_common(20))
    more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
    return f"{title}: {listed}{more}"


def _push(heap: list[tuple[int, str]], item: tuple[int, str], most: int) -> None:
    heapq.heappush(heap, item)
    if len(heap) > most:
        heapq.heappop(heap)


class Comparison:
    """This sweep against an earlier one, row by row as they come.

    Args:
        old: The rows of the earlier one. Where both have the same order none is held.
    """

    def __init__(self, old: Iterable[Row]) -> None:
        self._old = iter(old)
        self._unmatched: dict[str, _Answer] = {}
        self._waiting: dict[str, _Answer] = {}
        self.changes: Counter[str] = Counter()
        """The reader that changed."""

    def add(self, row: Row) -> str:
        """Compare a row; return a line where a stream changed its answer."""
        self._waiting[row["id"]] = _Answer(row)
        earlier = next(self._old, None)
        if earlier is not None:
            self._unmatched[earlier["id"]] = _Answer(earlier)
        return self._match(row["id"]) or (self._match(earlier["id"]) if earlier else "")

    def _match(self, name: str) -> str:
        if name not in self._unmatched or name not in self._waiting:
            return ""
        old, new = self._unmatched.pop(name), self._waiting.pop(name)
        return self._differs(name, old, new)

    def _differs(self, name: str, old: _Answer, new: _Answer) -> str:
        changed = [
            f"{check} {was} -> {new.verdicts.get(check, 'not asked')}"
            for check, was in old.verdicts.items()
            if check in new.verdicts and new.verdicts[check] != was
        ]
        if old.digest and new.digest and old.digest != new.digest:
            changed.append("emits something else")
        is_sdk = bool(old.sdk_digest and new.sdk_digest)
        is_sdk = is_sdk and old.sdk_digest != new.sdk_digest
        if is_sdk:
            changed.append("the SDK reads something else")
        if old.is_apart != new.is_apart:
            changed.append("set apart" if new.is_apart else "no longer set apart")
        if not changed:
            return ""
        if old.stream != new.stream:
            doing = "the recording"
        elif is_sdk and old.sdk != new.sdk:
            doing = f"{old.sdk} -> {new.sdk}"
        elif old.harness != new.harness:
            doing = f"harness {old.harness} -> {new.harness}"
        else:
            doing = "the consumer, or what is installed beside harness"
        self.changes[doing] += 1
        return f"{name}: {'; '.join(changed)}: {doing}"

    def rest(self) -> Iterator[str]:
        """Yield the other changes, after the last row."""
        for earlier in self._old:
            self._unmatched[earlier["id"]] = _Answer(earlier)
        for line in map(self._match, [*self._waiting]):
            if line:
                yield line

    @property
    def new(self) -> int:
        """How many streams the earlier sweep did not have; after `rest`."""
        return len(self._waiting)

    @property
    def gone(self) -> int:
        """How many streams only the earlier sweep had; after `rest`."""
        return len(self._unmatched)


class _Answer:
    """What two sweeps are compared by."""

    def __init__(self, row: Row) -> None:
        self.stream: str = row["stream"]
        self.harness: str = row["harness"]
        self.verdicts: dict[str, str] = row["verdicts"]
        self.digest: str = row["digest"]
        self.sdk: str = row.get("sdk") or ""  # rows of before have none
        self.sdk_digest: str = row.get("sdk_digest") or ""
        self.is_apart = bool(row["apart"])
