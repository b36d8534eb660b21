"""What was found in gateways is there to be served again, and the page shows how."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from harness.fuzz.fuzz_inputs import truth_of
from tests.cli.running import harness
from tests.docs.blocks import blocks_of
from tests.third_party.environments import ROOT
from tests.third_party.gateways import CASSETTES, FINDINGS, Finding, input_of

if TYPE_CHECKING:
    from pathlib import Path

_PAGE = ROOT / "docs" / "pages" / "how-to" / "fuzz-a-gateway.md"


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_cassette_is_an_answer_of_the_upstream(finding: Finding) -> None:
    """Each is read by the API below the gateway: it ends, or that is the finding."""
    truth = truth_of(input_of(CASSETTES / f"{finding.name}.yaml"), "", finding.served)
    assert truth.is_ended == (finding.relation != "truncation")


def test_every_cassette_is_a_finding_of_the_readme() -> None:
    """Rows, cassettes and the list have the same names."""
    text = (CASSETTES.parent / "README.md").read_text("utf-8")
    shown = {
        f"litellm-{number}"
        for row in re.findall(r"^\| (litellm-[\d, ]+?) \|", text, re.MULTILINE)
        for number in re.findall(r"\d+", row)
    }
    names = {finding.name for finding in FINDINGS}
    assert names == shown == {path.stem for path in CASSETTES.glob("*.yaml")}


@pytest.mark.slow
def test_page_finds_what_it_shows(tmp_path: Path) -> None:
    """The command of the page, on the relay of the page, in an empty folder."""
    blocks = list(blocks_of(_PAGE))
    for block in blocks:
        if block.title.endswith(".py"):
            (tmp_path / block.title).write_text(block.text, "utf-8")
    command = next(block.text for block in blocks if block.language == "sh")
    program, *arguments = shlex.split(command)
    assert program == "harness"
    arguments = [one.replace("python ", f"{sys.executable} ") for one in arguments]
    result = harness(*arguments, cwd=tmp_path)
    assert result.code == 1, result.err
    expected = next(block.text for block in blocks if block.title == "what is found")
    assert expected in result.out
    assert list(tmp_path.glob("*.yaml"))
