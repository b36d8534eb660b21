"""No network in tests that replay: a try to reach out fails and says where to.

Owns the replaced methods of `socket`. They are in place while a marked test runs, for
the whole process, since a client may connect from any thread; a test that runs at the
same time in another thread is blocked as well. What does not use Python's sockets
(uvloop, grpc) is not seen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

__all__ = ["NetworkBlockedError", "blocked"]


_REACHABLE = {"remote": "nothing but this machine", "all": "nothing"}


class NetworkBlockedError(HarnessError):
    """A test tried to reach the network; no connection was made.

    Attributes:
        host: Where to, as it was asked for.
    """

    def __init__(self, host: str, policy: str) -> None:
        self.host = host
        other = (
            "let everything through (block_network='none')"
            if policy == "remote"
            else "let this machine through (block_network='remote')"
        )
        super().__init__(
            f"network blocked: the test tried to reach {host}, and a harness test may "
            f"reach {_REACHABLE[policy]}; replay a cassette, record one "
            f"(--harness-record=once), or {other}"
        )


@contextlib.contextmanager
def blocked(
    policy: str, allowed: Container[tuple[Any, Any]] = ()
) -> Iterator[list[str]]:
    """Block the network within the block.

    Args:
        policy: ``remote`` lets this machine's addresses through, ``all`` nothing but
            Unix sockets, ``none`` does not block.
        allowed: Host and port of what is let through all the same, by number; it may
            change meanwhile.

    Yields:
        Where connections were tried to, in order; it fills meanwhile.
    """
    tried: list[str] = []
    if policy == "none":
        yield tried
        return

    guard = _Guard(policy, tried, allowed)
    guard.install()
    try:
        yield tried
    finally:
        guard.uninstall()


class _Guard:
    """Stands before the methods of `socket` that reach somebody."""

    def __init__(
        self, policy: str, tried: list[str], allowed: Container[tuple[Any, Any]]
    ) -> None:
        self._policy = policy
        self._tried = tried
        self._allowed = allowed
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def install(self) -> None:
        for name in ("connect", "connect_ex"):
            self._replace(socket.socket, name, self._connecting)
        self._replace(socket, "getaddrinfo", self._looking_up)

    def uninstall(self) -> None:
        for owner, name, before, ours in self._replaced:
            if vars(owner).get(name) is not ours:
                continue  # somebody else has replaced it meanwhile and will undo it
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def _replace(self, owner: Any, name: str, wrap: Any) -> None:
        ours = wrap(getattr(owner, name))
        self._replaced.append((owner, name, vars(owner).get(name), ours))
        setattr(owner, name, ours)

    def _refuse(self, host: str) -> None:
        if self._policy == "remote" and _is_here(host):
            return
        self._tried.append(host)
        raise NetworkBlockedError(host, self._policy)

    def _connecting(self, real: Any) -> Any:
        def connect(connecting: socket.socket, address: Any) -> Any:
            is_ip = connecting.family in {socket.AF_INET, socket.AF_INET6}
            if is_ip and tuple(address[:2]) not in self._allowed:
                try:
                    self._refuse(_text(address[0]))
                except NetworkBlockedError:
                    # Clients close a socket on an OSError only, which ours is not.
                    connecting.close()
                    raise
            return real(connecting, address)

        return connect

    def _looking_up(self, real: Any) -> Any:
        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            # None and numbers need no network; a name does.
            if host is not None and not _is_address(_text(host)):
                self._refuse(_text(host))
            return real(host, *args, **kwargs)

        return getaddrinfo


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    name = host.partition("%")[0].rstrip(".").lower()
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    return _is_address(name) and (
        ipaddress.ip_address(name).is_loopback
        or ipaddress.ip_address(name).is_unspecified
    )
