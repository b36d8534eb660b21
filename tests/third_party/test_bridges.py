"""What translation found in libraries that speak several APIs is still there."""

from __future__ import annotations

import os

import pytest

from harness.fuzz.api_inputs import answer_of, written_bytes
from harness.fuzz.fuzz_inputs import truth_of
from harness.fuzz.served_streams import StreamServer
from tests.third_party.bridges import CASSETTES, FINDINGS, Finding
from tests.third_party.gateways import input_of
from tests.third_party.matrix import worker


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_answer_is_the_same_in_both(finding: Finding) -> None:
    """The cassette and what is written of it in the other API hold the same text."""
    pieces = input_of(CASSETTES / f"{finding.cassette}.yaml")
    other = written_bytes(finding.wrong, answer_of(finding.right, pieces))
    right = truth_of(pieces, "", finding.right)
    wrong = truth_of(other, "", finding.wrong)
    assert (right.text, right.calls) == (wrong.text, wrong.calls)
    assert right.is_sound
    assert wrong.is_sound


@pytest.mark.slow
@pytest.mark.skipif(
    "HARNESS_THIRD_PARTY" not in os.environ,
    reason="HARNESS_THIRD_PARTY names no folder where releases may be installed",
)
@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_finding_is_still_there(finding: Finding) -> None:
    """By one API the text comes, by the other it is an error."""
    pieces = input_of(CASSETTES / f"{finding.cassette}.yaml")
    answers = {}
    server = StreamServer()
    for api in (finding.right, finding.wrong):
        server.pieces = written_bytes(api, answer_of(finding.right, pieces))
        with worker(finding.library, api) as asked:
            answers[api] = asked.ask(server.base_url(api)) or {}
    server.close()
    assert answers[finding.right]["content"] == truth_of(pieces, "", "chat").text
    assert finding.shows in answers[finding.wrong]["error"]
