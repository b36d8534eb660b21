"""The bridge to vcrpy: its `Cassette` matches, counts and decides what is saved.

Owns the only import of `vcr`. vcrpy's record modes, matchers and play counts are used
as they are, through its documented persister interface; what it would lose stays in
our own `Exchange`, which rides along as the response. Three of its habits are kept
out: a file it cannot read is an error here and never an empty cassette, a save goes
through `harness.cassettes.encode`, and interactions that were only loaded are written
back as they were, with all that vcrpy does not know about.

Nothing here knows httpx, contexts or streams: see `harness.record`.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.cassettes.matching import (
    DEFAULT_MATCH_ON,
    Candidate,
    field_differences,
    json_body,
)
from harness.cassettes.model import Exchange, Request, Response
from harness.cassettes.persister import Persister, Stored, in_order
from harness.cassettes.saving import Keeping
from harness.errors import CassetteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class RecordMode(StrEnum):
    """What a request may do; the first four mean what they mean in vcrpy."""

    NONE = "none"
    """Play what is recorded; never touch the network."""
    ONCE = "once"
    """Record where there is no file yet, else play."""
    NEW_EPISODES = "new_episodes"
    """Play what is recorded, record what is not."""
    ALL = "all"
    """Record everything; new recordings replace those they match, others stay."""
    REWRITE = "rewrite"
    """Record everything; the old file is replaced as a whole, after success only."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise UsageError(f"expected a record mode of {', '.join(cls)}, got {value!r}")


class MatchedCassette:
    """A cassette file with vcrpy's matching on top.

    Safe to use from several threads. Several recordings of one file, in any process,
    each add what they recorded; only one that replaces the file as a whole refuses to
    when another has changed it.

    Args:
        path: The file; it need not exist.
        mode: What may be recorded.
        match_on: Names of vcrpy's matchers, ``json_body``, or functions.
        allow_playback_repeats: An exchange may answer more than one request.
        before_record_request: vcrpy's hook: gets a copy of each request, recorded or
            sent, and returns it changed (timestamps, ids), so that it matches.
            None for a request that is not to be recorded or played at all.
        clean_uri: Removes secrets from the addresses of a file that another recorder
            wrote, as they are removed from what is sent.
        warn: Called with one line for what is no error and yet to be known.

    Raises:
        UsageError: The mode or a matcher is unknown.
        CassetteError: The file is there, but cannot be read.
        CassetteCorruptError: It does not parse as a cassette. In every mode.
    """

    def __init__(
        self,
        path: str,
        *,
        mode: RecordMode | str = RecordMode.NONE,
        match_on: Iterable[Any] = DEFAULT_MATCH_ON,
        allow_playback_repeats: bool = False,
        before_record_request: Callable[[Any], Any] | None = None,
        clean_uri: Callable[[str], str] = str,
        warn: Callable[[str], object] = lambda _: None,
    ) -> None:
        from vcr.cassette import Cassette
        from vcr.persisters.filesystem import CassetteNotFoundError
        from vcr.record_mode import RecordMode as VcrMode

        self.path = path
        self.mode = RecordMode(mode)
        self._hook = before_record_request
        self._clean_uri = clean_uri
        self._lock = threading.RLock()
        is_rewrite = self.mode is RecordMode.REWRITE
        self._persister = Persister(
            self._stored_request,
            CassetteNotFoundError,
            replaces=is_rewrite,
            writes=self.mode not in {RecordMode.NONE, RecordMode.ONCE},
        )
        self._keeping = Keeping(path, self.mode.value, self._persister, warn)
        if is_rewrite:
            self._persister.read(path)  # whatever cannot be read is not replaced
        self._match_on = [matcher_of(matcher) for matcher in match_on]
        self._without = next(
            (m.without for m in self._match_on if hasattr(m, "without")), ()
        )
        self._cassette = (Cassette if is_rewrite else Cassette.load)(
            path=path,
            persister=self._persister,
            record_mode=VcrMode("all" if is_rewrite else self.mode.value),
            match_on=self._match_on,
            allow_playback_repeats=allow_playback_repeats,
        )
        self._loaded = len(self._cassette.data)

    @property
    def file_exists(self) -> bool:
        """Whether there was a file when the cassette was opened."""
        return self._persister.fingerprint is not None

    @property
    def can_record(self) -> bool:
        """Whether a request without recording may be sent and recorded."""
        return not self._cassette.write_protected

    @property
    def exchanges(self) -> list[Exchange]:
        """Everything recorded, loaded and new, in order."""
        with self._lock:
            return [stored.exchange for _, stored in self._cassette.data]

    @property
    def requests(self) -> list[Any]:
        """Requests as vcrpy has them, loaded and new, in order."""
        with self._lock:
            return [request for request, _ in self._cassette.data]

    @property
    def recorded_count(self) -> int:
        """How many exchanges were recorded since the cassette was opened."""
        return len(self._cassette.data) - self._loaded

    @property
    def play_counts(self) -> list[int]:
        """How often each exchange was played, in the order of `exchanges`."""
        with self._lock:
            counts = self._cassette.play_counts
            return [counts[index] for index in range(len(self._cassette.data))]

    @property
    def unplayed(self) -> list[Exchange]:
        """Exchanges that came from the file and were never played."""
        with self._lock:
            return [
                stored.exchange
                for index, (_, stored) in enumerate(self._cassette.data)
                if index < self._loaded and not self._cassette.play_counts[index]
            ]

    def prepare(self, request: Request) -> Any:
        """Return the request as vcrpy sees it, or None if a hook excludes it."""
        prepared = _vcr_request(request)
        return self._hook(prepared) if self._hook is not None else prepared

    def _stored_request(self, request: Request) -> Any:
        request = replace(request, uri=self._clean_uri(request.uri))
        # One that the hook excludes stays, so that saving does not lose it.
        return self.prepare(request) or _vcr_request(request)

    def play(self, prepared: Any) -> Exchange | None:
        """Return the next recording that answers a request, and count it as played.

        Args:
            prepared: What `prepare` returned.

        Returns:
            The exchange, or None if there is none left, or the mode does not play.
        """
        with self._lock:
            if not self._cassette.can_play_response_for(prepared):
                return None
            stored: Stored = self._cassette.play_response(prepared)
            return stored.exchange

    def play_at(self, index: int) -> None:
        """Count an exchange as played, whatever was asked for."""
        with self._lock:
            self._cassette.play_counts[index] += 1

    def note(self, prepared: Any, response: Response, *, order: int) -> Stored:
        """Write an exchange to the journal, without adding it yet.

        Args:
            prepared: What `prepare` returned.
            response: What came back; secrets have been removed.
            order: Where it stands among those recorded now: the order of requests.
                An exchange noted earlier for the same place is replaced.

        Returns:
            What `add` takes.
        """
        body = prepared.body
        request = Request(
            prepared.method,
            prepared.uri,
            {name: list(values) for name, values in _all_headers(prepared)},
            bytes(body) if isinstance(body, bytes | bytearray) else None,
        )
        exchange = Exchange(0, request, response)
        with self._lock:
            self._keeping.note(order, exchange)
        return Stored(exchange, None, order)

    def add(self, prepared: Any, stored: Stored) -> None:
        """Add an exchange that was noted; the cassette is not written before `save`."""
        with self._lock:
            stored.exchange.index = len(self._cassette.data)
            self._cassette.append(prepared, stored)

    def candidates(self, prepared: Any) -> list[Candidate]:
        """Compare a request with every recording, the nearest first.

        Args:
            prepared: What `prepare` returned.
        """
        from vcr.matchers import get_matchers_results

        with self._lock:
            found = []
            for index, (request, stored) in enumerate(self._cassette.data):
                _, failed = get_matchers_results(prepared, request, self._match_on)
                found.append(
                    Candidate(
                        stored.exchange,
                        [(name, message or "") for name, message in failed],
                        field_differences(
                            request,
                            prepared,
                            [name for name, _ in failed],
                            self._without,
                        ),
                        self._cassette.play_counts[index],
                    )
                )
        return sorted(
            found, key=lambda c: (len(c.failed), len(c.differences), c.play_count)
        )

    def save(self) -> None:
        """Write what was recorded, by the rules of the mode; nothing if nothing was.

        What others have added to the file since it was opened stays. What recordings
        that did not end have left in journals is taken in, unless it was recorded
        again; what a rewrite left goes to a ``.partial`` file of its own.

        Raises:
            CassetteError: It cannot be written, or is no cassette any more. What was
                recorded is in another file then, which the error names.
        """
        with self._lock:
            if not self._cassette.dirty:
                return
            try:
                # vcrpy saves only by leaving its own context.
                self._keeping.fold(self._cassette._save, self._is_recorded_again)  # noqa: SLF001
            except CassetteError as error:
                raise self._kept_aside(error) from error

    def _is_recorded_again(self, exchange: Exchange) -> bool:
        from vcr.matchers import requests_match

        request = self._stored_request(exchange.request)
        return any(
            requests_match(new, request, self._match_on)
            for new, _ in self._cassette.data[self._loaded :]
        )

    def save_partial(self) -> str | None:
        """Write what was recorded beside the cassette, which stays as it is.

        Returns:
            The file, ``NAME.partial`` or ``NAME.2.partial`` and so on if that is taken
            (a second call writes to the same); where none can be written, the journal
            or a temporary file; or None if nothing was recorded.

        Raises:
            CassetteError: It can be written nowhere.
        """
        with self._lock:
            new = in_order([item for _, item in self._cassette.data[self._loaded :]])
            return self._keeping.keep([s.exchange for s in new]) if new else None

    def close(self, *, is_kept: bool) -> None:
        """Let go of the journal; what it still holds stays in it."""
        with self._lock:
            self._keeping.close(is_kept=is_kept)

    def _kept_aside(self, error: CassetteError) -> CassetteError:
        try:
            kept = self.save_partial()
        except CassetteError as second:
            kept_where = f"what was recorded could not be kept: {second}"
        else:
            kept_where = f"what was recorded is in {kept!r}"
        return CassetteError(error.path, f"{error.problem}; {kept_where}")


def matcher_of(matcher: Any) -> Any:
    """Return what compares two requests, of its name or as it is.

    Raises:
        UsageError: Neither vcrpy nor we have a matcher of that name.
    """
    if callable(matcher):
        return matcher
    from vcr import VCR

    matchers: dict[str, Any] = {**VCR().matchers, "json_body": json_body}
    if matcher not in matchers:
        names = ", ".join(sorted(matchers))
        raise UsageError(f"expected a matcher of {names}, got {matcher!r}")
    return matchers[matcher]


def _vcr_request(request: Request) -> Any:
    from vcr.request import Request as VcrRequest

    prepared = VcrRequest(
        request.method,
        request.uri,
        request.body,
        {name: values[0] for name, values in request.headers.items() if values},
    )
    # vcrpy keeps one value of a header; all of them are to reach the file.
    prepared.harness_headers = request.headers
    return prepared


def _all_headers(prepared: Any) -> Iterable[tuple[str, list[str]]]:
    """Return the headers to store: those a hook left, each with all its values."""
    recorded = getattr(prepared, "harness_headers", {})
    for name, value in prepared.headers.items():
        values = recorded.get(name, [])
        yield name, values if values and values[0] == value else [value]
