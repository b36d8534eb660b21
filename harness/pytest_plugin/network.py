"""No network in tests that replay: a try to reach out fails and names where to.

In place while a marked test runs, for the whole process, since a client may connect
from any thread; a test that runs at the same time in another thread is blocked as well.
What does not use Python's sockets (uvloop, grpc) is not seen.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.net.addresses import is_this_machine
from harness.record.active import current_session, is_passing
from harness.record.guard import name_of, opener, socket_patches

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from harness.record.traffic import Traffic


_REACHABLE = {"remote": "nothing but this machine", "all": "nothing"}


class NetworkBlockedError(HarnessError):
    """A test tried to reach the network; no connection was made.

    Attributes:
        host: Where to, as it was asked for.
        client: The library that tried, as the stack shows it.
    """

    def __init__(self, host: str, policy: str, client: str) -> None:
        self.host = host
        self.client = client
        other = (
            "let everything through (block_network='none')"
            if policy == "remote"
            else "let this machine through (block_network='remote')"
        )
        super().__init__(
            f"network blocked: the test (by {client}) tried to reach {host}, and a "
            f"harness test may reach {_REACHABLE[policy]}; replay a cassette, record "
            "one (--harness-record=once, or `harness record --proxy` where this client "
            f"is not intercepted), let this host through (allow=[{host!r}]), or {other}"
        )


@contextlib.contextmanager
def blocked(
    policy: str, allowed: Container[tuple[Any, Any]], lets: Traffic
) -> Iterator[list[str]]:
    """Block the network within the block.

    Args:
        policy: ``remote`` lets this machine's addresses through, ``all`` nothing but
            Unix sockets, ``none`` does not block.
        allowed: Host and port of what is let through all the same, by number; it may
            change meanwhile.
        lets: Whose hosts are let through, too.

    Yields:
        Where connections were tried to, in order; it fills meanwhile.
    """
    tried: list[str] = []
    if policy == "none":
        yield tried
        return

    def refuse(host: str, port: Any) -> None:
        if policy == "remote" and is_this_machine(host):
            return
        name = name_of(host)
        if lets.allows(name, port) or (is_passing() and lets.ignores(name, port)):
            return
        tried.append(host)
        error = NetworkBlockedError(host, policy, opener())
        session = current_session()
        if session is not None:
            session.misses.append(error)
        raise error

    def connecting(host: str, port: Any) -> None:
        if (host, port) not in allowed:
            refuse(host, port)

    patches = socket_patches(connecting, refuse)
    patches.install()
    try:
        yield tried
    finally:
        patches.uninstall()
