"""The proxy that stands between this machine and the servers of TLS, if one does.

Plain HTTP goes to the server itself: what speaks it is on this machine or near.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from harness.errors import UsageError
from harness.redaction.config import redacted_url


class Tunnel(NamedTuple):
    """A proxy that connects to a server when it is asked with CONNECT."""

    host: str
    port: int
    headers: list[tuple[str, str]]
    """Its own credentials."""


def tunnel_to(host: str) -> Tunnel | None:
    """Return the proxy that the environment names for a host.

    It is `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` names the host; each in small
    letters, too, as in curl.

    Raises:
        UsageError: It is no URL of a proxy.
    """
    proxies = getproxies_environment()
    url = proxies.get("https") or proxies.get("all")
    if not url or proxy_bypass(host):
        return None
    url = url if "://" in url else f"http://{url}"
    parts, port = urlsplit(""), 80
    with suppress(ValueError):  # of the brackets, or of the port
        found = urlsplit(url)
        port = found.port or 80
        parts = found
    if parts.scheme != "http" or not parts.hostname:  # TLS to a proxy, and SOCKS
        raise UsageError(
            f"HTTPS_PROXY is {redacted_url(url)!r}, expected http://HOST:PORT"
        )
    headers = []
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        token = b64encode(pair.encode()).decode()
        headers = [("proxy-authorization", f"Basic {token}")]
    return Tunnel(parts.hostname, port, headers)
