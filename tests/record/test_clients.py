"""Every intercepted client: the same pieces, times and ending, live and played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.record import use_cassette
from harness.store.reading import load_cassette
from tests.record.reading import READERS, Result
from tests.record.servers import (
    DONE,
    ScriptedServer,
    event,
    lockstep,
    raw_request,
    read_plainly,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The second is a byte, the last two are one event that was cut.
PIECES = [event("a"), b":", b"\n\n" + event("é"), event("c")[:40], event("c")[40:] + DONE]
NOWHERE = "http://nowhere.invalid"

every_client = pytest.mark.parametrize("read", READERS)
Read = "Callable[..., Result]"


def acknowledging(server: ScriptedServer) -> Callable[[int], None]:
    """Return what tells a server that a piece has been read."""
    return lambda number: server.acknowledge(f"piece {number}")


def ignoring(_: int) -> None:
    """Acknowledge to nobody: there is no server."""


def recorded(path: Path) -> Result:
    """Return pieces and ending as the only exchange of a file holds them."""
    (exchange,) = load_cassette(path).exchanges
    response = exchange.response
    assert response.ended is not None
    pieces = [piece for _, piece in response.iter_wire()]
    return pieces, response.ended.error or response.ended.kind


@every_client
def test_lockstep_stream_gets_through_and_is_recorded_as_a_bare_socket_sees_it(
    tmp_path: Path, read: Any
) -> None:
    """A server that waits for each acknowledgement gets it, and every cut is kept."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server:
        plain = read_plainly(server.port, raw_request(), acknowledging(server))
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        live = read(server.url, acknowledging(server))
    assert live == plain == recorded(path) == (PIECES, "complete")
    with use_cassette(path) as session:
        assert read(NOWHERE, ignoring) == live
    assert session.unplayed == []
    assert session.connected == []


@every_client
@pytest.mark.parametrize(
    ("ending", "kind"), [("cut", "RemoteProtocolError"), ("reset", "ReadError")]
)
def test_broken_stream_plays_back_as_the_same_error_after_the_same_pieces(
    tmp_path: Path, read: Any, ending: str, kind: str
) -> None:
    """The error is the client's own, and what it says is what it said live."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES, ending)) as server:
        bare = read(server.url, acknowledging(server))
    with ScriptedServer(lockstep(PIECES, ending)) as server, use_cassette(path, "once"):
        live = read(server.url, acknowledging(server))
    assert live == bare
    assert live[0] == PIECES
    assert recorded(path)[0] == PIECES
    with use_cassette(path):
        assert read(NOWHERE, ignoring) == live


@every_client
def test_client_that_stops_reading_is_recorded_as_closed(
    tmp_path: Path, read: Any
) -> None:
    """What never came is not recorded; reading past it is a mismatch of ours."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        read(server.url, acknowledging(server), most=2)
    assert recorded(path) == (PIECES[:2], "closed")
    with use_cassette(path):
        assert read(NOWHERE, ignoring, most=2) == (PIECES[:2], "closed")
    with use_cassette(path) as session:
        pieces, told = read(NOWHERE, ignoring)
    assert pieces == PIECES[:2]
    assert "stopped reading after" in told
    assert len(session.misses) == 1
