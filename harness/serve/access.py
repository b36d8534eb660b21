"""Who may ask a server: by the names it is reached under, and by which web pages.

A page in a browser on this machine can send requests here. Where its own name is made
to lead to this address (DNS rebinding), the browser takes the server for that page's
and lets it read everything: recordings, what clients asked, and settings. Such a
request gives itself away by its Host header. One that a page of another site sends
openly has an Origin header, and gets nothing of the control endpoint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.cassettes.model import Request, header_of, header_pairs
from harness.errors import UsageError, shorten
from harness.net.addresses import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is allowed besides this machine's own names and the same origin."""

    allow_hosts: tuple[str, ...] = ()
    """More names and addresses that clients reach the server under."""
    allow_origins: tuple[str, ...] = ()
    """Web pages that may use the control endpoint and read every answer, as
    ``http://localhost:3000``."""
    cors: bool = False
    """Pass recorded ``access-control-*`` headers on, so that pages read answers."""

    def __post_init__(self) -> None:
        for origin in self.allow_origins:
            if not _ORIGIN.fullmatch(origin):
                raise UsageError(
                    "--allow-origin: expected the address of a page's server without a "
                    f"path, as http://localhost:3000, got {shorten(origin)}"
                )
        for host in self.allow_hosts:
            if not _name_of(host) or set(host) & set("/ @"):
                raise UsageError(
                    "--allow-host: expected a name or an address, as "
                    f"host.docker.internal, got {shorten(host)}"
                )

    def problem(self, request: Request, bound: set[str], *, is_control: bool) -> str:
        """Return why a request is refused; empty where it is not.

        Args:
            request: As it came.
            bound: The addresses that the server listens on.
            is_control: It is for the control endpoint.
        """
        host = header_of(request.headers, "host")
        name = _name_of(host)
        # None at all is HTTP/1.0, which no browser speaks.
        if host and not (
            is_loopback(name)
            or name in bound
            or name in {_name_of(allowed) for allowed in self.allow_hosts}
        ):
            return (
                f"the Host {shorten(host)} is no name of this server; if clients reach "
                "it under that name, allow it (--allow-host)"
            )
        if is_control:
            own = f"http://{host}".lower()
            allowed = {own, *(one.lower().rstrip("/") for one in self.allow_origins)}
            for name, origin in header_pairs(request.headers):
                if name.lower() == "origin" and origin.lower() not in allowed:
                    return _refused(origin, "use the control endpoint")
        return ""

    def granted(self, request: Request) -> list[tuple[str, str]]:
        """Return what shows a browser that an allowed page may read the answer.

        Args:
            request: As it came.

        Returns:
            Headers; none for a page that is not allowed, and where there is no page.
        """
        origin = header_of(request.headers, "origin")
        if origin.lower() not in {o.lower().rstrip("/") for o in self.allow_origins}:
            return []
        wanted = header_of(request.headers, "access-control-request-headers")
        headers = [("access-control-allow-origin", origin), ("vary", "Origin")]
        if is_preflight(request):
            headers.append(("access-control-allow-methods", "GET, POST, PUT, DELETE"))
            headers += [("access-control-allow-headers", wanted)] * bool(wanted)
        return headers


def why_unread(request: Request) -> str:
    """Return why the page for which a browser asks first gets no answer to read."""
    return _refused(header_of(request.headers, "origin"), "read answers")


def _refused(origin: str, what: str) -> str:
    return f"a page of {shorten(origin)} may not {what}; allow it (--allow-origin)"


def is_preflight(request: Request) -> bool:
    """Return whether a browser asks here what a page may ask for."""
    method = header_of(request.headers, "access-control-request-method")
    return request.method == "OPTIONS" and bool(method)


_ORIGIN = re.compile(r"[A-Za-z][\w+.-]*://[^/?#@\s]+/?|null")
_HOST = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?")


def _name_of(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    match = _HOST.fullmatch(host)
    name = host if match is None else match[1] or match[2] or ""
    return name.rstrip(".").lower()
