"""Which cassette is in use here: in this task, in this thread.

Owns the context variable and what follows from it. A task belongs to the cassette of
the code that created it, because asyncio copies the context. Threads get no copy, so
while any cassette is open, threads and thread pool jobs started inside a `with` block
are made to belong to its cassette as tasks do. A thread that was started outside has
no cassette and its requests are left alone; `RecordingSession.use` lends it one.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from harness.record.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.record.session import RecordingSession


_ACTIVE: ContextVar[RecordingSession | None] = ContextVar(
    "harness_cassette", default=None
)
_PASSING: ContextVar[bool] = ContextVar("harness_passing", default=False)
_INHERITED = "_harness_cassette"  # the attribute of a thread that was started inside


def current_session() -> RecordingSession | None:
    """Return the cassette that requests made here belong to, or None."""
    session = _ACTIVE.get()
    if session is None:
        session = getattr(threading.current_thread(), _INHERITED, None)
    return session


def is_passing() -> bool:
    """Return whether this is a client's live request that has been dealt with."""
    return _PASSING.get()


@contextlib.contextmanager
def passing() -> Iterator[None]:
    """Let connections through, and leave them to whoever intercepted the request.

    Without it a client that works on top of another would be intercepted twice, and
    the guard (`harness.record.guard`) would take it for one that is not intercepted.
    """
    token = _PASSING.set(True)
    try:
        yield
    finally:
        _PASSING.reset(token)


@contextlib.contextmanager
def using(session: RecordingSession) -> Iterator[None]:
    """Make requests of this thread or task belong to a cassette, within the block."""
    token = _ACTIVE.set(session)
    try:
        yield
    finally:
        try:
            _ACTIVE.reset(token)
        except ValueError:
            # Entered in one task and left in another, as async fixtures do.
            _ACTIVE.set(None)


@contextlib.contextmanager
def lending(session: RecordingSession, thread: threading.Thread) -> Iterator[None]:
    """Make requests of a whole thread belong to a cassette, within the block.

    Whatever contexts its tasks have, and only where they have no cassette of their
    own. A test runner needs this: contexts may be older than the test or outlive it.
    """
    before = getattr(thread, _INHERITED, None)
    setattr(thread, _INHERITED, session)
    try:
        yield
    finally:
        setattr(thread, _INHERITED, before)


def _run(
    session: RecordingSession,
    passes: bool,  # noqa: FBT001 - private
    function: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    with using(session), passing() if passes else contextlib.nullcontext():
        return function(*args, **kwargs)


def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def start(self: threading.Thread) -> Any:
        session = current_session()
        if session is not None:
            setattr(self, _INHERITED, session)
        return original(self)

    return start


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        session = current_session()
        if session is not None:
            # The worker may have been started for another cassette, or for none.
            fn = functools.partial(_run, session, is_passing(), fn)
        return original(self, fn, *args, **kwargs)

    return submit


THREAD_PATCHES = Patches(
    lambda: [
        (threading.Thread, "start", _start),
        (ThreadPoolExecutor, "submit", _submit),
    ]
)
"""In place while any cassette is open."""
