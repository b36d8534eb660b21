"""The clients that are intercepted while a cassette is open.

Owns the list, and nothing else: what is replaced in each library is known to its own
module here. None of the libraries is imported by us.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness.record import aiohttp_client, stdlib_client, transports
from harness.record.active import THREAD_PATCHES
from harness.record.guard import GUARD_PATCHES
from harness.record.patches import ModulePatches

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CLIENT_PATCHES", "intercepting"]

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
