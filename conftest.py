"""What every test of this repository gets: profiles, no network, a quiet terminal."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import httpcore  # noqa: F401 - httpx loads them late; first loaded inside a pytester run,
import httpcore2  # noqa: F401 - they would be forgotten and their errors exist twice
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

# Where no bytecode is kept, each Python that a test starts compiles all it imports, and
# each pytest rewrites all its plugins: 2 s a process.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What is recorded is flushed to the disk and removed again thousands of times: a tenth
# of the time of all tests. In memory both cost nothing. Only Linux has this folder, and
# a container may keep it small, or run no program of it: then the disk is used.
_IN_MEMORY = "/dev/shm"  # noqa: S108 - pytest makes folders that are this user's alone
if os.path.ismount(_IN_MEMORY) and os.access(_IN_MEMORY, os.W_OK):
    _found = os.statvfs(_IN_MEMORY)
    if _found.f_bavail * _found.f_frsize > 2**32 and not _found.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _IN_MEMORY)

_EXAMPLES = int(os.environ.get("HARNESS_EXAMPLES", "0"))

# One command runs any property a million times: HARNESS_EXAMPLES=1000000 pytest ...
settings.register_profile(
    "harness",
    deadline=None,  # machines of CI are slow and noisy; speed has its own benchmarks
    derandomize=bool(os.environ.get("CI")) and not _EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=_EXAMPLES or 50,
)
settings.load_profile("harness")

# What the collector does unasked was a sixth of the time of tests that make many small
# objects, and of the imports before them.
gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish() -> None:
    """Spare the collector what is there to stay: modules, tests, the corpus' names.

    A whole collection, which some tests ask for, then takes 2 ms instead of 150.
    """
    gc.collect()
    gc.freeze()


_SET_BY_DEVELOPERS = (
    *("CI", "NO_COLOR", "FORCE_COLOR", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
)


@pytest.fixture(autouse=True, scope="session")
def _calm_surroundings() -> Iterator[None]:
    """Keep what a developer has set out of the tests, and the network out of reach.

    Once for all of them, whose own changes end with each: set up for each test, it was
    a tenth of what pytest does around a test.
    """
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise RuntimeError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as surroundings:
        for name in _SET_BY_DEVELOPERS:
            surroundings.delenv(name, raising=False)
        surroundings.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture
def collector_waits() -> Iterator[None]:
    """Collect no cycles during the test, for tests with a server in a thread.

    Clients that raise in the middle of a stream leave their async generators to the
    collector (the SDK does); run in the server's thread, it cannot close them: "async
    generator already executing". `asyncio.run` closes them in the test's thread.
    """
    gc.disable()
    yield
    gc.enable()
