"""What every recording test needs: not being in CI, and both client packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@pytest.fixture(autouse=True)
def _surroundings(
    monkeypatch: pytest.MonkeyPatch,
    collector_waits: None,
) -> None:
    monkeypatch.delenv("HARNESS_ALLOW_CI_RECORDING", raising=False)


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def module(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The two client packages, which share an interface."""
    client: ModuleType = request.param
    originals = [
        client.Client._transport_for_url,
        client.AsyncClient._transport_for_url,
    ]
    yield client
    assert originals == [
        client.Client._transport_for_url,
        client.AsyncClient._transport_for_url,
    ], "the clients' methods were not put back"
