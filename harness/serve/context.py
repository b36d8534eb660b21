"""A running server in Python: `with serve("chat.yaml") as server: server.base_url`.

The server has a thread and an event loop of its own, so that the code under test may
block, or run another loop, as it likes. It is the same server that `harness serve`
runs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from harness.errors import StateError
from harness.serve.recordings import Recordings
from harness.serve.sessions import DEFAULT_SESSION, Sessions
from harness.serve.settings import make_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from harness.cassettes.model import Cassette
    from harness.net.threads import LoopThread
    from harness.serve.access import Access
    from harness.serve.server import Server


_T = TypeVar("_T")


def serve(
    *sources: str | os.PathLike[str] | Cassette,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_remote: bool = False,
    access: Access | None = None,
    **settings: Any,
) -> RunningServer:
    """Serve recordings as an OpenAI-compatible server, within a block.

    Use it as ``with`` or ``async with``; the block's value has `base_url`, which is
    what a client is given. The extra `serve` must be installed.

    Args:
        sources: Recordings: paths of files and folders, or loaded cassettes.
        host: The address to listen on.
        port: The port; 0 for any free one.
        allow_remote: Listen on an address that other machines reach.
        access: Who may ask, besides this machine by its own names.
        settings: Fields of `harness.serve.Settings`, in the forms of the command
            line: `cassette`, `match`, `speed` (here 0, at once, unless given),
            `split`, `writes`, `dialect`, `fault`.

    Returns:
        The server, not yet running; it may be run again.

    Raises:
        UsageError: A setting is wrong; on entering: the address is.
        CassetteError: A recording cannot be read.
    """
    chosen = make_settings(**{"speed": 0, **settings})
    sessions = Sessions(Recordings(sources), chosen)
    options = {"host": host, "port": port, "allow_remote": allow_remote}
    return RunningServer(sessions, access=access, **options)


class RunningSession:
    """One client's settings and log on a running server."""

    def __init__(self, server: RunningServer, name: str) -> None:
        self._server = server
        self.name = name
        """As the path and the header have it."""

    @property
    def base_url(self) -> str:
        """What a client of this session is given, ``/v1`` at its end."""
        if self.name == DEFAULT_SESSION:
            return f"{self._server.url}/v1"
        return f"{self._server.url}/s/{quote(self.name, safe='')}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The latest requests and what became of them, oldest first.

        Each has `number`, `method`, `path`, `headers` (credentials replaced), `json`,
        `body` (where it is no JSON), `status`, `source`, `outcome` and `problem`.
        """
        found: list[dict[str, Any]] = self._server.call(
            lambda sessions: sessions.get(self.name).as_json()["requests"]
        )
        return found

    def configure(self, **settings: Any) -> None:
        """Give it settings, the server's where none are given, and begin it anew.

        Raises:
            UsageError: A setting is wrong; nothing has changed.
        """
        self._server.call(lambda sessions: sessions.configure(self.name, settings))

    def reset(self) -> None:
        """Begin anew: nothing was asked, nothing was played."""
        self._server.call(lambda sessions: sessions.get(self.name).reset())

    def say(self, pieces: Iterable[bytes]) -> None:
        """Answer every chat completion with these bytes, each piece one write.

        Args:
            pieces: The body of an event stream, cut anyhow; at once, whatever the
                request asks for. Faults of the connection still apply.
        """
        held = [piece for piece in pieces if piece]

        def change(sessions: Sessions) -> None:
            sessions.get(self.name).said = held

        self._server.call(change)


class RunningServer(RunningSession):
    """A server in a thread; itself the session of clients that name none."""

    def __init__(self, sessions: Sessions, **options: Any) -> None:
        super().__init__(self, DEFAULT_SESSION)
        self._sessions = sessions
        self._options = options
        self._server_in_loop: Server | None = None
        self._thread: LoopThread | None = None

    @property
    def url(self) -> str:
        """The root of the server, such as ``http://127.0.0.1:40123``.

        Raises:
            StateError: It is not running.
        """
        if self._server_in_loop is None:
            raise StateError("the server is not running; use it as `with serve(...)`")
        return self._server_in_loop.url

    def session(self, name: str, **settings: Any) -> RunningSession:
        """Return another client's session, with settings of its own if any are given.

        Raises:
            UsageError: A setting or the name is wrong.
        """
        session = RunningSession(self, name)
        if settings:
            session.configure(**settings)
        else:
            self.call(lambda sessions: sessions.get(name))
        return session

    def call(self, function: Callable[[Sessions], _T]) -> _T:
        """Call a function with the sessions, in the server's thread if it runs."""
        if self._thread is None:
            return function(self._sessions)

        async def called() -> _T:
            return function(self._sessions)

        return self._thread.run(called())

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise StateError("this server is already running; call serve again")
        from harness.net.threads import LoopThread
        from harness.serve.server import Server

        server = Server(self._sessions, **self._options)
        thread = LoopThread("harness serve")
        try:
            thread.run(server.start())
        except BaseException:
            thread.stop()
            raise
        self._server_in_loop, self._thread = server, thread
        return self

    def __exit__(self, *_: object) -> None:
        server, thread = self._server_in_loop, self._thread
        assert server is not None
        assert thread is not None
        thread.run(server.stop())
        self._server_in_loop = self._thread = None
        thread.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)
