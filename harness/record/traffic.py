"""Which requests a cassette has nothing to do with, and which connections are let be.

Owns the options `allow`, `ignore_hosts`, `ignore_localhost` and `ignore_telemetry`, and
the table of telemetry: requests that a library makes of its own accord, from threads
of its own, so that whether they come at all is a matter of timing. They are known by
host and path, since some go to the model's own host.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from harness.cassettes.model import Ending, Exchange, Request, Response, header_of
from harness.core.package_files import package_tables
from harness.errors import UsageError
from harness.net.addresses import is_this_machine

_ROWS = package_tables("harness.record", "telemetry.txt")["telemetry"].splitlines()
_TELEMETRY = [tuple(map(re.compile, row.split(" | "))) for row in _ROWS]


def is_telemetry(uri: str) -> bool:
    """Return whether a request's address is that of known telemetry."""
    try:
        parts = urlsplit(uri)
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        return False
    return any(
        one.fullmatch(host) and path.fullmatch(parts.path) for one, path in _TELEMETRY
    )


def _hosts(given: Any, name: str) -> tuple[str, ...]:
    is_one = isinstance(given, str) or not isinstance(given, Iterable)
    names = (given,) if is_one else tuple(given)
    for host in names:
        if not isinstance(host, str) or "/" in host or not host:
            raise UsageError(
                f"{name}: expected hosts such as 'api.example.com', '*.example.com' "
                f"or 'localhost:5432', got {host!r}"
            )
    return tuple(host.lower() for host in names)


@dataclass(slots=True)
class Traffic:
    """What is none of a cassette's business.

    Raises:
        UsageError: A host is none.
    """

    allow: Iterable[str] = ()
    """Hosts that clients may connect to which are not intercepted."""
    ignore_hosts: Iterable[str] = ()
    """Hosts whose requests are sent and neither played nor recorded, as in vcrpy."""
    ignore_localhost: bool = False
    """The same of this machine."""
    ignore_telemetry: bool = True
    """Whether known telemetry is answered here, and neither sent nor recorded."""
    allow_remote: bool = False
    """Every other machine is in `allow`, unless the cassette has recordings of it."""
    answered: list[str] = field(default_factory=list)
    """Telemetry that was answered: method and address of each request."""

    def __post_init__(self) -> None:
        self.allow = _hosts(self.allow, "allow")
        self.ignore_hosts = _hosts(self.ignore_hosts, "ignore_hosts")

    def allows(self, host: str, port: Any) -> bool:
        """Return whether any client may connect there."""
        return _matches(self.allow, host, port)

    def ignores(self, host: str, port: Any) -> bool:
        """Return whether requests to there are left alone."""
        if self.ignore_localhost and is_this_machine(host):
            return True
        return _matches(self.ignore_hosts, host, port)

    def ignores_request(self, uri: str) -> bool:
        """Return whether a request is left alone."""
        try:
            parts = urlsplit(uri)
            return self.ignores(parts.hostname or "", parts.port)
        except ValueError:
            return False

    def answer(self, request: Request) -> Exchange | None:
        """Return the answer to known telemetry, or None."""
        if not self.ignore_telemetry or not is_telemetry(request.uri):
            return None
        self.answered.append(f"{request.method} {request.uri.partition('?')[0]}")
        is_json = "protobuf" not in header_of(request.headers, "content-type")
        body = b"{}" if is_json else b""  # an empty message is a valid one
        kind = "application/json" if is_json else "application/x-protobuf"
        headers = {"content-type": [kind], "content-length": [str(len(body))]}
        response = Response(200, "OK", headers, body, ended=Ending("complete"))
        return Exchange(-1, request, response)


TRAFFIC_OPTIONS = frozenset(
    f.name for f in fields(Traffic) if f.name not in {"answered", "allow_remote"}
)
"""Those that a caller may give."""


def _matches(patterns: Iterable[str], host: str, port: Any) -> bool:
    name = host.strip("[]").rstrip(".").lower()
    names = {name, f"{name}:{port}"}
    if is_this_machine(name):
        names |= {"localhost", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}"}
    return any(fnmatch.fnmatchcase(one, p) for one in names for p in patterns)
