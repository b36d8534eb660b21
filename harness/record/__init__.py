"""Recording: live exchanges to cassettes, and back to clients that want to play."""

from harness.record.active import using
from harness.record.body_streams import Pace
from harness.record.error_surfacing import RecordingWarning
from harness.record.exchange import LiveRequest
from harness.record.session import RecordingSession
from harness.record.use_cassette import CassetteContext, use_cassette

__all__ = [
    "CassetteContext",
    "LiveRequest",
    "Pace",
    "RecordingSession",
    "RecordingWarning",
    "use_cassette",
    "using",
]
