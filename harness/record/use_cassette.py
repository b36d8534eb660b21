"""`use_cassette`: recording and playing in process.

Owns the public entry, and the list of clients that are intercepted while a cassette is
open: what is replaced in each library is known to its own module, and none of the
libraries is imported by us. What happens to a request is decided in
`harness.record.session`.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import warnings
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harness.errors import StateError, UsageError, shorten
from harness.record import aiohttp_client, stdlib_client, transports
from harness.record.active import THREAD_PATCHES, using
from harness.record.error_surfacing import hidden_cause
from harness.record.guard import GUARD_PATCHES
from harness.record.patches import ModulePatches
from harness.record.session import RecordingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cassettes.vcr_bridge import RecordMode


CLIENT_PATCHES = ModulePatches(
    {
        "httpx": transports.targets,
        "httpx2": transports.targets,
        "http.client": stdlib_client.targets,
        "urllib3.connection": stdlib_client.targets,
        "aiohttp.connector": aiohttp_client.targets,
    }
)
"""In place while any cassette is open."""


@contextlib.contextmanager
def intercepting() -> Iterator[None]:
    """Intercept clients, follow threads and watch sockets, within the block."""
    with contextlib.ExitStack() as stack:
        for patches in (CLIENT_PATCHES, THREAD_PATCHES, GUARD_PATCHES):
            patches.install()
            stack.callback(patches.uninstall)
        yield


_F = TypeVar("_F", bound="Callable[..., Any]")


def use_cassette(
    path: str | os.PathLike[str], record: RecordMode | str = "none", **options: Any
) -> CassetteContext:
    """Record and play what HTTP clients do, within a block.

    Those of `httpx`, `httpx2`, `aiohttp`, `urllib3` (so `requests` and `botocore`) and
    the standard library are intercepted, and the libraries on top of them. A client
    that is not is refused where it goes past the cassette; see `allow` below.

    Use it as ``with``, as ``async with``, or as a decorator of a function or a
    coroutine function. The block's value is the `RecordingSession`: `unplayed`,
    `play_counts` and `misses` show a test what was used.

    Every piece of a response reaches the client as it arrives, and is recorded with
    its time and the way the stream ended; played back, the client gets the same
    pieces and the same ending. Clients may have been created before the block.

    A cassette belongs to the task or thread that entered the block, and to tasks,
    threads and thread pool jobs started inside it, so that cassettes used at the same
    time never mix. Threads started elsewhere are left alone; `using(session)` from
    `harness.record` lends them the cassette. Other processes are never covered.

    Args:
        path: The cassette file: YAML, or JSON where it ends in ``.json``.
        record: ``none`` (the default) plays and never touches the network; ``once``
            records where there is no file yet, else plays; ``new_episodes`` plays
            what is recorded and records the rest; ``all`` records everything, new
            recordings replacing those they match (these four as in vcrpy);
            ``rewrite`` records everything and replaces the file as a whole, but only
            if the block ends without an exception.
        options: What `RecordingSession` takes: `match_on`, `redaction`, `allow` (hosts
            that other clients may connect to), `ignore_hosts` and more; and `speed`,
            `clock`, `sleep` and `async_sleep` of `Pace` for playing in recorded time.

    Returns:
        The context; each use of it opens the cassette anew.

    Raises:
        UsageError: At once: `path` is none, or what is decorated is a class or a
            generator. On entering: an option is wrong.
        CassetteError: On entering: the file is there, but cannot be read or does not
            parse (in every mode; it is left as it is). On leaving: it cannot be
            written; the old file is whole.
        RecordingRefusedError: The mode would record, and this is CI (the environment
            variable `CI`); `force=True` or HARNESS_ALLOW_CI_RECORDING=1 allows it.
        CassetteMismatchError: Out of the client: no recording answers the request.

    The file is written once, on leaving. Until then each exchange that has ended is in
    a journal beside it (``.NAME.PID-TOKEN.harness-journal``), before the client gets
    its end: a process that dies inside the block leaves the old file and the journal,
    which the next recording takes in. After an exception `rewrite` keeps the old file
    too, and what was recorded goes to ``NAME.partial``; the other modes save, as vcrpy
    does. Several processes may record to one file: each adds to it.
    """
    if not isinstance(path, str | os.PathLike):  # as where the parentheses are missing
        raise UsageError(
            "use_cassette: expected the path of a cassette, as in "
            f"use_cassette('cassettes/chat.yaml'), got {shorten(path)}"
        )
    if "mode" in options:
        raise UsageError("use_cassette: the mode is given as record=, not as mode=")
    return CassetteContext(path, record, options)


class CassetteContext(contextlib.ContextDecorator, contextlib.AsyncContextDecorator):
    """What `use_cassette` returns. It may be used again, but not inside itself."""

    def __init__(
        self, path: str | os.PathLike[str], record: RecordMode | str, options: Any
    ) -> None:
        self._arguments: tuple[Any, Any, dict[str, Any]] = (path, record, options)
        self._session: RecordingSession | None = None
        self._using: contextlib.ExitStack | None = None

    def __enter__(self) -> RecordingSession:
        path, record, options = self._arguments
        if self._session is not None:
            raise StateError(
                f"{self._session.path}: this use_cassette is already entered; "
                "call use_cassette again for a second block"
            )
        session = RecordingSession(path, mode=record, **options)
        self._session = session
        self._using = contextlib.ExitStack()
        self._using.enter_context(intercepting())
        self._using.enter_context(using(session))
        return session

    def __exit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> None:
        session, context = self._session, self._using
        assert session is not None
        assert context is not None
        self._session = self._using = None
        context.close()
        kept = session.close(failed=error is not None)
        unseen = session.unseen()
        if error is None and unseen:
            warnings.warn(unseen, stacklevel=2)
        if kept is not None and error is not None:
            error.add_note(
                f"{session.path} was not replaced; what was recorded is in {kept}"
            )
        cause = hidden_cause(error)
        if cause is not None:
            raise cause from None

    async def __aenter__(self) -> RecordingSession:
        return self.__enter__()

    async def __aexit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> None:
        self.__exit__(kind, error, trace)

    def _recreate_cm(self) -> Self:
        """Return the context of one call of a decorated function."""
        return type(self)(*self._arguments)

    def __call__(self, function: _F) -> _F:
        """Decorate a function or coroutine function; each call opens the cassette.

        Raises:
            UsageError: It is a class or a generator, whose code runs after the call.
        """
        is_class = inspect.isclass(function)
        is_generator = inspect.isgeneratorfunction(function)
        if is_class or is_generator or inspect.isasyncgenfunction(function):
            kind = "class" if is_class else "generator"
            raise UsageError(
                f"use_cassette cannot decorate the {kind} {function.__qualname__}: "
                "the cassette would be closed before its code runs; write `with "
                "use_cassette(...):` inside it"
            )
        if inspect.iscoroutinefunction(function):
            return contextlib.AsyncContextDecorator.__call__(self, function)
        return contextlib.ContextDecorator.__call__(self, function)
