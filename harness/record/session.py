"""A cassette in use: what answers a request, and what becomes of a live one.

Owns the rules of recording: where it is refused, when the file is written, what is
kept when something goes wrong. It knows neither httpx nor sockets, so that the
transports and the proxy follow the same rules.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import threading
from typing import TYPE_CHECKING, Any

from harness.cassettes.matching import DEFAULT_MATCH_ON, matchers
from harness.cassettes.model import Exchange, Request, Response
from harness.cassettes.persister import Stored
from harness.cassettes.vcr_bridge import MatchedCassette, RecordMode
from harness.errors import (
    CassetteMismatchError,
    CassetteMissingError,
    HarnessError,
    RecordingRefusedError,
    StateError,
)
from harness.record.error_surfacing import as_warnings
from harness.record.exchange import ExchangeRecorder, LiveRequest
from harness.record.mismatch import StaleRequest, explain, stale_answer
from harness.record.session_options import pace_of, redaction_of
from harness.record.traffic import TRAFFIC_OPTIONS, Traffic, is_telemetry
from harness.redaction.config import redacted_url
from harness.redaction.redact import Redaction, redact_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


CI_OVERRIDE = "HARNESS_ALLOW_CI_RECORDING"
"""The environment variable that allows recording in CI."""

_ENDING_S = 60.0  # writing one exchange down takes milliseconds

_FALSE = frozenset({"", "0", "false", "no", "off"})


_Noted = tuple[Any, Stored] | None  # vcrpy's request; None: not to be recorded


class RecordingSession:
    """One opened cassette, from the first request to the last save.

    Safe to use from several threads and tasks at once; exchanges are stored in the
    order of their requests.

    Args:
        path: The cassette file.
        mode: See `RecordMode`.
        match_on: Names of vcrpy's matchers, ``json_body``, or functions of two
            vcrpy requests.
        allow_playback_repeats: An exchange may answer more than one request.
        before_record_request: vcrpy's hook of that name.
        redaction: What is replaced before anything is written; the default rules if
            None. Requests are redacted before they are matched, too, but its hook
            is not called then: to change requests, use `before_record_request`.
        force: Record in CI as well.
        warn: Called with one line for what is no error and yet to be known, such as a
            journal that cannot be written; None makes it a `RecordingWarning`.
        more: Fields of `Traffic`: `allow`, `ignore_hosts`, `ignore_localhost`,
            `ignore_telemetry`; `ignore_json`, JSON paths that do not count where
            bodies are compared (``$.user``); and fields of `Pace`: `speed`, `clock`,
            `sleep`, `async_sleep`. The clock also times what is recorded.

    Raises:
        UsageError: The mode, a matcher or an option is unknown or wrong.
        CassetteError: The file is there, but cannot be read or does not parse.
        RecordingRefusedError: The mode would record, and this is CI.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: RecordMode | str = RecordMode.NONE,
        match_on: Iterable[Any] = DEFAULT_MATCH_ON,
        allow_playback_repeats: bool = False,
        before_record_request: Callable[[Any], Any] | None = None,
        redaction: Redaction | None = None,
        force: bool = False,
        warn: Callable[[str], object] | None = None,
        **more: Any,
    ) -> None:
        self.path = os.fspath(path)
        named = {name: more.pop(name) for name in TRAFFIC_OPTIONS & more.keys()}
        self.traffic = Traffic(**named)
        self.connected: list[str] = []
        """Where clients connected to that are not intercepted, and which."""
        self.match_on = matchers(match_on, more.pop("ignore_json", ()))
        self.verifies = bool(more.pop("verify", False))
        """Whether a changed request is answered by its nearest recording."""
        self.stale: list[StaleRequest] = []
        """The recorded requests that such an answer stood for."""
        self.pace = pace_of(more, before_record_request)
        self.clock = self.pace.clock
        self._redaction = redaction_of(redaction)
        self.cassette = MatchedCassette(
            self.path,
            mode=mode,
            match_on=self.match_on,
            allow_playback_repeats=allow_playback_repeats,
            before_record_request=before_record_request,
            clean_uri=self._redaction.uri,
            warn=warn or as_warnings(self.path),
        )
        self.mode = self.cassette.mode
        self.is_closed = False
        self.misses: list[HarnessError] = []
        """What was refused here, whether or not the caller noticed."""
        self._is_matched = before_record_request is not None or (
            self.mode not in {RecordMode.ALL, RecordMode.REWRITE}
        )
        self._may_record = force or not _is_ci()
        self._lock = threading.Condition()
        self._open: list[ExchangeRecorder] = []
        self._whole: dict[int, tuple[Response, _Noted]] = {}
        self._orders = itertools.count()
        if self.mode in {RecordMode.ALL, RecordMode.REWRITE} or (
            self.mode is RecordMode.ONCE and not self.cassette.file_exists
        ):
            self._check_may_record()

    @property
    def unplayed(self) -> list[Exchange]:
        """Exchanges that the file held and that no request has asked for.

        Telemetry is not among them: whether it is sent is a matter of timing.
        """
        unplayed = self.cassette.unplayed
        if not self.traffic.ignore_telemetry:
            return unplayed
        return [one for one in unplayed if not is_telemetry(one.request.uri)]

    @property
    def play_counts(self) -> list[int]:
        """How often each exchange was played, in the order of the cassette."""
        return self.cassette.play_counts

    @property
    def recorded_count(self) -> int:
        """How many exchanges were recorded since the cassette was opened."""
        return self.cassette.recorded_count

    @property
    def requests(self) -> list[Any]:
        """The recorded requests as vcrpy's cassette has them: `uri`, `body`, ..."""
        return self.cassette.requests

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The recorded responses as vcrpy's cassette has them."""
        return [
            {
                "status": {"code": one.response.status, "message": one.response.reason},
                "headers": one.response.headers,
                "body": {"string": one.response.body},
            }
            for one in self.cassette.exchanges
        ]

    @property
    def play_count(self) -> int:
        """How many requests were played, as vcrpy's cassette counts them."""
        return sum(self.play_counts)

    @property
    def all_played(self) -> bool:
        """Whether every exchange was played, as vcrpy's cassette has it."""
        return all(self.play_counts)

    def __len__(self) -> int:
        """Return how many exchanges there are."""
        return len(self.play_counts)

    def answer(self, request: Request) -> Exchange | LiveRequest | None:
        """Decide what becomes of a request.

        Args:
            request: As sent.

        Returns:
            The exchange that answers it; or a `LiveRequest`, to send and record it;
            or None, to send it and leave it alone (a hook excluded it).

        Raises:
            CassetteMismatchError: Nothing recorded answers it, and the mode does not
                record.
            CassetteMissingError: The same, and there is no file at all.
            RecordingRefusedError: It would be recorded, and this is CI.
            StateError: The cassette has been closed.
        """
        ruled = self.traffic.answer(request)
        if ruled is not None:
            return ruled
        if self.traffic.ignores_request(request.uri):
            return None
        if self.is_closed:
            raise StateError(
                f"{self.path}: {request.method} "
                f"{self.redacted(request.uri)} was sent after its "
                "use_cassette block had ended; wait inside the block for whatever "
                "still makes requests"
            )
        # A stored request has lost its secrets, so this one must, to match it. Where
        # nothing is matched it is not held back for that: storing it does the same.
        prepared = self.cassette.prepare(
            redacted_request(request, self._redaction) if self._is_matched else request
        )
        if prepared is None:
            return None
        exchange = self.cassette.play(prepared)
        if exchange is not None:
            return exchange
        if not self.cassette.can_record:
            exchange = stale_answer(self, prepared) if self.verifies else None
            if exchange is None:
                raise self._miss(prepared)
            return exchange
        self._check_may_record()
        return LiveRequest(self, request, next(self._orders), self.clock())

    def redacted(self, text: str) -> str:
        """Return a URL, or a message with URLs in it, without its secrets."""
        return redacted_url(text, self._redaction)

    def began(self, recorder: ExchangeRecorder) -> None:
        """Remember a response that is being read, to end it with the session."""
        with self._lock:
            self._open.append(recorder)

    def whole(self, request: Request, response: Response, order: int) -> None:
        """Write down a response of which nothing seems to be missing.

        Before the client gets the piece that makes it whole; its end is yet to come.
        """
        noted = self._note(request, response, order)
        with self._lock:
            self._whole[order] = response, noted

    def finished(
        self,
        request: Request,
        response: Response,
        order: int,
        recorder: ExchangeRecorder,
    ) -> None:
        """Store an ended exchange without its secrets, unless the session is closed."""
        noted: _Noted = None
        try:
            before, noted = self._whole.pop(order, (None, None))
            if before is not response:
                noted = self._note(request, response, order)
        finally:
            with self._lock:
                if not self.is_closed and noted is not None:
                    self.cassette.add(*noted)
                self._open.remove(recorder)
                self._lock.notify_all()

    def _note(self, request: Request, response: Response, order: int) -> _Noted:
        """Write an exchange to the journal; None if a hook excludes it."""
        ended = response.ended
        if ended is not None and ended.message:
            response.ended = ended._replace(message=self._redaction.uri(ended.message))
        exchange = redact_exchange(Exchange(0, request, response), self._redaction)
        with self._lock:
            prepared = self.cassette.prepare(exchange.request)
            if self.is_closed or prepared is None:
                return None
            stored = self.cassette.note(prepared, exchange.response, order=order)
            return prepared, stored

    def read_past_end(self, exchange: Exchange) -> CassetteMismatchError:
        """Return the error for a client that reads on where a recorded one stopped."""
        size = len(exchange.response.body)
        error = CassetteMismatchError(
            self.path,
            f"the client that was recorded stopped reading after {size} bytes, this "
            "one reads on, and what the server sent then is not known; stop at the "
            "same place, or record it again (record='rewrite')",
            place=f"exchange {exchange.index}",
        )
        self.misses.append(error)
        return error

    def unseen(self) -> str:
        """Return what is wrong if something connected, and nothing is recorded."""
        is_used = self.recorded_count or any(self.play_counts)
        plays = self.cassette.file_exists and not self.cassette.can_record
        if is_used or plays or not self.connected:
            return ""
        nothing = "was recorded" if self.cassette.can_record else "is recorded"
        return (
            f"{self.path}: nothing {nothing}, but something connected: "
            f"{', '.join(dict.fromkeys(self.connected))}; record this client through "
            "a server (`harness record --proxy`), or allow= the host"
        )

    def save(self) -> None:
        """Write what has ended so far; in `rewrite` mode it goes to a partial file.

        There is no need to, to be safe: each exchange is in the journal as it ends.

        Raises:
            CassetteError: It cannot be written.
        """
        if self.mode is RecordMode.REWRITE:
            self.cassette.save_partial()
        else:
            self.cassette.save()

    def close(self, *, failed: bool = False) -> str | None:
        """End what is still being read, as closed by the client, and save.

        Args:
            failed: The block ended with an exception. In `rewrite` mode the old file
                then stays, and what was recorded goes beside it; the other modes
                save, as vcrpy does.

        Returns:
            The file beside the cassette, if that is where the recording went.

        Raises:
            CassetteError: It cannot be written; the error names the file that has
                what was recorded.
        """
        with self._lock:
            if self.is_closed:
                return None
            ending = list(self._open)
            for recorder in ending:
                recorder.closed()
            # What another thread is writing down just now belongs to the recording.
            self._lock.wait_for(lambda: not {*ending} & {*self._open}, _ENDING_S)
            self.is_closed = True
        is_kept = False
        try:
            if failed and self.mode is RecordMode.REWRITE:
                kept = self.cassette.save_partial()
            else:
                kept = None
                self.cassette.save()
            is_kept = True
        finally:
            self.cassette.close(is_kept=is_kept)
        return kept

    def _check_may_record(self) -> None:
        if not self._may_record:
            raise RecordingRefusedError(
                self.path,
                f"recording (mode {self.mode.value!r}) is refused where CI is set; "
                f"record on your machine and commit the file, or set {CI_OVERRIDE}=1",
            )

    def _miss(self, prepared: Any) -> CassetteMismatchError | CassetteMissingError:
        error: CassetteMismatchError | CassetteMissingError
        if not self.cassette.file_exists and not self.cassette.recorded_count:
            error = CassetteMissingError(
                self.path,
                f"there is no cassette to answer {prepared.method} {prepared.uri}; "
                "record it once (record='once')",
            )
        else:
            error = explain(self, prepared)
        self.misses.append(error)
        return error


def redacted_request(request: Request, redaction: Redaction) -> Request:
    """Return a request as it would be stored, the hook of the redaction aside."""
    rules = dataclasses.replace(redaction, hook=None)
    return redact_exchange(Exchange(0, request, Response(200)), rules).request


def _is_ci() -> bool:
    return _is_set("CI") and not _is_set(CI_OVERRIDE)


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() not in _FALSE
