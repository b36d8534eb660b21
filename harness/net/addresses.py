"""Addresses: whose they are, and which may be listened on."""

from __future__ import annotations

import ipaddress

from harness.errors import UsageError


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_address(host: str) -> bool:
    """Return whether a host is given by its number."""
    return _parsed(host.partition("%")[0]) is not None


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    address = _parsed(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_this_machine(host: str) -> bool:
    """Return whether a name or an address is this machine's own."""
    name = host.partition("%")[0].strip("[]").rstrip(".").lower()
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    address = _parsed(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def check_reach(host: str, *, allow_remote: bool) -> None:
    """Refuse to listen where other machines reach it, unless that is allowed.

    Raises:
        UsageError: It is not.
    """
    if not allow_remote and not is_loopback(host):
        raise UsageError(
            f"{host!r} can be reached from other machines; listen on 127.0.0.1, or "
            "allow it (--allow-remote)"
        )
