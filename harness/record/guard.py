"""Connections that go past a cassette: of clients that are not intercepted.

Owns the replaced methods of `socket`, what is let through, and how an error names the
client. It sees what uses Python's sockets, asyncio's own loops included; libraries with
sockets of their own (uvloop, grpc, curl) and other processes are not seen.
"""

from __future__ import annotations

import functools
import socket
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.errors import HarnessError, UnrecordedConnectionError
from harness.net.addresses import is_address, is_this_machine
from harness.record.active import current_session, is_passing
from harness.record.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from harness.record.session import RecordingSession


_NAMES: dict[str, str] = {}
"""Of addresses that were looked up, the name that was asked for."""

_RUNNERS = frozenset(
    {
        *("_pytest", "pytest", "pluggy", "xdist", "execnet", "pytest_asyncio"),
        *("anyio", "trio", "harness", "IPython", "ipykernel", "coverage"),
    }
)
"""Packages that run code and open no connection of their own."""

_PLUMBING = frozenset(
    {"asyncio", "concurrent", "contextlib", "runpy", "selectors", "socket", "ssl"}
    | {"threading", "_pyrepl", "importlib", "functools", "unittest"}
)
"""The same of the standard library."""


PORTS = {"http": 80, "https": 443}
"""Where a scheme's servers listen unless a URL has it otherwise."""


def name_of(host: str) -> str:
    """Return the name that was looked up for an address, or the address."""
    return _NAMES.get(host, host)


def place_of(host: str, port: Any) -> tuple[str, int | None]:
    """Return a host and port in one spelling."""
    name = "localhost" if is_this_machine(host) else host.strip("[]").rstrip(".")
    return name.lower(), port if isinstance(port, int) else None


def recorded_places(session: RecordingSession) -> set[tuple[str, int | None]]:
    """Return the places that a cassette has recordings of."""
    places = set()
    for exchange in session.cassette.exchanges:
        try:
            parts = urlsplit(exchange.request.uri)
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError:
            continue
        places.add(place_of(parts.hostname or "", port))
    return places


def _check(host: str, port: Any) -> None:
    """Let a connection through, or refuse it.

    Raises:
        UnrecordedConnectionError: It is refused.
    """
    session = current_session()
    if session is None or is_passing():
        return
    place = place_of(host, port)
    traffic = session.traffic
    if traffic.allows(host, port):
        return
    client = opener()
    shown = host if port is None else f"{host}:{port}"
    session.connected.append(f"{shown} (by {client})")
    is_here = is_this_machine(host)
    if session.cassette.can_record:
        is_refused = not is_here and not traffic.allow_remote
        why = "would go unrecorded"
    else:
        is_recorded = place in recorded_places(session)
        is_refused = is_recorded or (not is_here and not traffic.allow_remote)
        why = f"would be live, and record mode {session.mode.value!r} plays"
    if is_refused:
        error = UnrecordedConnectionError(session.path, shown, client, why)
        session.misses.append(error)
        raise error


def opener() -> str:
    """Return the library that is opening a connection, as the stack shows it.

    Returns:
        The outermost library called by the project's code, and the innermost one
        where that is another: ``litellm (over pycurl)``. The standard library's
        module, where no other is in between.
    """
    libraries: list[str] = []
    modules: list[str] = []
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - it has no other name
    while frame is not None:
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        kind = file_kind(frame.f_code.co_filename)
        if top in _RUNNERS:
            pass
        elif kind == "library":
            libraries.append(top)
        elif kind == "standard":
            modules.append(str(frame.f_globals.get("__name__", "")))
        else:
            break  # the project's own
        frame = frame.f_back
    if libraries:
        inner, outer = libraries[0], libraries[-1]
        return outer if inner == outer else f"{outer} (over {inner})"
    named = [name for name in modules if name.partition(".")[0] not in _PLUMBING]
    return named[-1] if named else "socket"


@functools.cache
def file_kind(file: str) -> str:
    """Return whose a file of code is: `library`, `standard` (Python's) or `project`."""
    if file.startswith("<frozen"):
        return "standard"
    path = Path(file)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return "library"
    return "standard" if path.is_relative_to(_STANDARD) else "project"


_STANDARD = Path(sysconfig.get_path("stdlib"))


def socket_patches(
    connecting: Callable[[str, Any], None], looking_up: Callable[[str, Any], None]
) -> Patches:
    """Return what stands before the methods of `socket` that reach another one.

    Args:
        connecting: Called with an address and a port; raises to refuse. Clients close
            a socket on an OSError only, so it is closed here.
        looking_up: The same with a name: to look one up is to use the network.
    """

    def reach(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def reach(self: socket.socket, *args: Any) -> Any:
            # `connect` takes an address alone; for `sendto` it comes last.
            address = args[-1]
            is_ip = self.family in {socket.AF_INET, socket.AF_INET6}
            if is_ip and isinstance(address, tuple):
                try:
                    connecting(_text(address[0]), address[1])
                except HarnessError:
                    self.close()
                    raise
            return original(self, *args)

        return reach

    def look_up(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            name = None if host is None else _text(host)
            if name is not None and not is_address(name):
                looking_up(name, port)
            found = original(host, port, *args, **kwargs)
            if name is not None:
                for *_, address in found:
                    if not is_this_machine(str(address[0])):
                        _NAMES[str(address[0])] = name
            return found

        return getaddrinfo

    reaching = ("connect", "connect_ex", "sendto")
    return Patches(
        lambda: [
            *((socket.socket, name, reach) for name in reaching),
            (socket, "getaddrinfo", look_up),
        ]
    )


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)


GUARD_PATCHES = socket_patches(
    lambda host, port: _check(name_of(host), port),
    lambda name, port: None if is_this_machine(name) else _check(name, port),
)
"""In place while any cassette is open."""
