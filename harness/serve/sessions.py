"""Sessions: what each client asked, and how it is answered.

One server serves many tests at once; each names a session, by the path
(``/s/NAME/v1/...``) or by a header (``X-Harness-Session: NAME``), and has settings, a
place in its recordings and a log of its own. A session begins when it is first named.
Those that were not named for longest are forgotten where there are too many, or where
their logs hold too much (`harness.limits`): by count, so that no clock decides it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError, shorten
from harness.limits import LOGGED, SESSIONS
from harness.serve.recordings import Chooser, Recordings
from harness.serve.settings import Settings, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.cassettes.model import Request


DEFAULT_SESSION = "default"
"""The session of requests that name none."""

_MAX_NAME = 200  # characters; a test's id fits
_KEPT_REQUESTS = 1000
_KEPT_BYTES = 32 * 1024 * 1024  # of request bodies a session


@dataclass(slots=True)
class Asked:
    """One request of a session, and its outcome."""

    number: int
    """From 0, in the order of arrival."""
    request: Request
    """As it would be stored: credentials are replaced."""
    status: int = 0
    """Of the answer; 0 until there is one."""
    source: str = ""
    """The recording that answered, such as ``chat.yaml#0``; empty if none did."""
    outcome: str = "open"
    """``open``, ``complete``, ``closed``, ``reset`` or ``stalled`` (as a fault or the
    recording has it), ``client closed``, or ``stopped`` with the server."""
    problem: str = ""
    """Why no recording answered; empty if one did."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the control endpoint shows it."""
        document = self.request.json()
        body = self.request.body
        return {
            "number": self.number,
            "method": self.request.method,
            "path": self.request.uri,
            "headers": self.request.headers,
            "json": document,
            "body": body.decode("utf-8", "replace")
            if body and document is None
            else None,
            "status": self.status,
            "source": self.source or None,
            "outcome": self.outcome,
            "problem": self.problem or None,
        }


@dataclass(slots=True)
class Session:
    """One client's settings, place and log."""

    name: str
    recordings: Recordings
    settings: Settings
    said: Sequence[bytes] | None = None
    """Pieces that answer every chat completion instead of a recording."""
    asked: deque[Asked] = field(default_factory=deque)
    """The latest requests, oldest first."""
    count: int = 0
    """How many requests there were."""
    answered: int = 0
    """How many chat completions were answered or refused by a fault."""
    chooser: Chooser = field(init=False)
    """Its place in the recordings."""
    kept_bytes: int = 0
    """Of the request bodies in the log."""

    def __post_init__(self) -> None:
        self.reset()

    def configure(self, settings: Settings) -> None:
        """Take other settings and begin anew.

        Raises:
            UsageError: The cassette is none of the server's; nothing has changed.
        """
        self.recordings.chosen(settings.cassette)
        self.settings = settings
        self.said = None
        self.reset()

    def reset(self) -> None:
        """Begin anew: nothing was asked, nothing was played."""
        self.chooser = Chooser(
            self.recordings.chosen(self.settings.cassette), self.settings.match
        )
        self.asked.clear()
        self.count = self.answered = self.kept_bytes = 0

    def ask(self, request: Request) -> Asked:
        """Log a request; the oldest are forgotten beyond 1 000 or 32 MiB."""
        asked = Asked(self.count, request)
        self.count += 1
        self.asked.append(asked)
        self.kept_bytes += len(request.body or b"")
        while len(self.asked) > 1 and (
            len(self.asked) > _KEPT_REQUESTS or self.kept_bytes > _KEPT_BYTES
        ):
            self.kept_bytes -= len(self.asked.popleft().request.body or b"")
        return asked

    def as_json(self) -> dict[str, Any]:
        """Return it as the control endpoint shows it."""
        return {
            "name": self.name,
            "settings": self.settings.as_json(),
            "requests": [asked.as_json() for asked in self.asked],
            "request_count": self.count,
        }


class Sessions:
    """The sessions of a server by name, the one that was named last at the end.

    Args:
        recordings: What all of them choose from.
        settings: What a session is served with until it is set otherwise.
        report: Called with one line for each session that is forgotten for room.

    Raises:
        UsageError: The cassette of the settings is none of the recordings.
    """

    def __init__(
        self,
        recordings: Recordings,
        settings: Settings,
        report: Callable[[str], object] | None = None,
    ) -> None:
        self.report = report
        self.recordings = recordings
        self.defaults = settings
        self._held: dict[str, Session] = {}
        self.get(DEFAULT_SESSION)

    def __iter__(self) -> Any:
        return iter(self._held.values())

    def get(self, name: str) -> Session:
        """Return a session, begun now if it is new.

        Raises:
            UsageError: The name is empty or too long.
        """
        session = self._held.pop(name, None)
        if session is None:
            if not 0 < len(name) <= _MAX_NAME:
                raise UsageError(
                    f"a session's name has 1 to {_MAX_NAME} characters, got "
                    f"{shorten(name)}"
                )
            session = Session(name, self.recordings, self.defaults)
            if len(self._held) >= SESSIONS.value:
                self._forget_oldest(SESSIONS.problem)
        self._held[name] = session
        return session

    def ask(self, session: Session, request: Request) -> Asked:
        """Log a request; the oldest sessions are forgotten if there is no room."""
        asked = session.ask(request)
        while (
            len(self._held) > 2
            and sum(one.kept_bytes for one in self) > LOGGED.value
            and self._forget_oldest(LOGGED.problem)
        ):
            pass
        return asked

    def _forget_oldest(self, why: str) -> bool:
        oldest = next((name for name in self._held if name != DEFAULT_SESSION), None)
        if oldest is None:
            return False
        del self._held[oldest]
        if self.report is not None:
            self.report(f"session {oldest} was forgotten: {why}")
        return True

    def configure(self, name: str, given: dict[str, Any]) -> Session:
        """Give a session settings, the server's where none are given; begin it anew.

        Raises:
            UsageError: A setting or the name is wrong; nothing has changed.
        """
        settings = make_settings(self.defaults, **given)
        self.recordings.chosen(settings.cassette)
        session = self.get(name)
        session.configure(settings)
        return session

    def forget(self, name: str) -> None:
        """Forget a session; the default one begins anew with the server's settings."""
        self._held.pop(name, None)
        self.get(DEFAULT_SESSION)
