"""Recording: live exchanges to cassettes, and back to clients that want to play."""

from harness.record.active import using
from harness.record.bodies import Pace
from harness.record.cassettes import CassetteContext, use_cassette
from harness.record.notices import RecordingWarning
from harness.record.session import LiveRequest, RecordingSession

__all__ = [
    "CassetteContext",
    "LiveRequest",
    "Pace",
    "RecordingSession",
    "RecordingWarning",
    "use_cassette",
    "using",
]
