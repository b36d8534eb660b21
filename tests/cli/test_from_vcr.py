"""`harness init --from-vcr`: what means the same is rewritten, the rest is named."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from harness.cli.from_vcr import rewrite_config, rewrite_tests
from tests.cli.running import harness

if TYPE_CHECKING:
    from pathlib import Path

REWRITTEN = {
    "plain": ("@pytest.mark.vcr\ndef f(): ...", "@pytest.mark.harness\ndef f(): ..."),
    "called": (
        "@pytest.mark.vcr()\ndef f(): ...",
        "@pytest.mark.harness()\ndef f(): ...",
    ),
    "imported": ("@mark.vcr\ndef f(): ...", "@mark.harness\ndef f(): ..."),
    "module": (
        "pytestmark = [pytest.mark.anyio, pytest.mark.vcr]",
        "pytestmark = [pytest.mark.anyio, pytest.mark.harness]",
    ),
    "arguments": (
        "@pytest.mark.vcr(record_mode='once', ignore_localhost=True)\ndef f(): ...",
        "@pytest.mark.harness(record='once', ignore_localhost=True)\ndef f(): ...",
    ),
    "named": (
        "@pytest.mark.vcr\n@pytest.mark.default_cassette('x.yaml')\ndef f(): ...",
        '@pytest.mark.harness\n@pytest.mark.harness("test_it/x.yaml")\ndef f(): ...',
    ),
    "not ASCII": (
        "x = 'é'; y = pytest.mark.vcr\r\nz = 'ü'\r\n",
        "x = 'é'; y = pytest.mark.harness\r\nz = 'ü'\r\n",
    ),
    "fixture": (
        "def test_x(a, vcr):\n    assert len(vcr.requests) == vcr.all_played",
        """def test_x(a, harness_session):
    assert len(harness_session.requests) == harness_session.all_played""",
    ),
    "config": (
        """@pytest.fixture
def vcr_config():
    return {
        'filter_headers': ['authorization', ('x-api-key', 'X')],
        'filter_query_parameters': ['key'],
        'decode_compressed_response': True,
        'ignore_hosts': ['a.example'],
    }
""",
        """@pytest.fixture
def harness_config():
    return {"ignore_hosts": ['a.example']}
""",
    ),
}
LEFT = {
    "names": ("@pytest.mark.vcr('a.yaml')\ndef f(): ...", "names more cassettes"),
    "names and fixture": (
        "@pytest.mark.vcr('a.yaml')\ndef test_x(vcr):\n    vcr.requests",
        "names more cassettes",
    ),
    "repeats": (
        "@pytest.mark.vcr(allow_playback_repeats=True)\ndef f(): ...",
        "allow_playback_repeats: only harness.use_cassette has it",
    ),
    "splat": ("@pytest.mark.vcr(**more)\ndef f(): ...", "has no counterpart"),
    "other header": (
        "def vcr_config():\n    return {'filter_headers': ['x-customer']}",
        "filter_headers: give harness_config a `redaction`",
    ),
    "no dict": ("def vcr_config():\n    return make()", "returns no plain dict"),
    "rewind": (
        "def test_x(vcr):\n    vcr.rewind()",
        "uses rewind; harness_session has",
    ),
    "blocked": ("@pytest.mark.block_network\ndef f(): ...", "block other machines"),
    "computed": ("@pytest.mark.default_cassette(NAME)\ndef f(): ...", "name it"),
    "broken": ("def f(:\n", "does not parse"),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_what_means_the_same_is_rewritten(name: str) -> None:
    """Nothing else in the file changes, and nothing is left to do the second time."""
    before, after = REWRITTEN[name]
    result = rewrite_tests(before.encode(), "test_it.py")
    assert result.data.decode() == after
    ast.parse(result.data)
    assert result.changed
    assert not result.left
    again = rewrite_tests(result.data, "test_it.py")
    assert (again.data, again.changed) == (result.data, [])


@pytest.mark.parametrize("name", LEFT)
def test_what_does_not_is_left_with_a_reason(name: str) -> None:
    """The line and the reason, and not a byte is changed."""
    text, reason = LEFT[name]
    result = rewrite_tests(text.encode(), "test_it.py")
    assert result.data.decode() == text
    assert not result.changed
    ((line, told),) = result.left
    assert line in {1, 2}
    assert reason in told


@pytest.mark.parametrize(
    ("section", "quote"), [("[pytest]", ""), ("[tool.pytest.ini_options]", '"')]
)
def test_configuration_keeps_vcrpys_ways(section: str, quote: str) -> None:
    """The option is renamed, two settings are added, once."""
    before = f"[x]\n{section}\naddopts = {quote}-q --record-mode=none{quote}\n"
    result = rewrite_config(before.encode(), section.encode())
    assert result.data.decode() == (
        f"[x]\n{section}\nharness_match_on = {quote}vcrpy{quote}\n"
        f"harness_unplayed = {quote}ignore{quote}\n"
        f"addopts = {quote}-q --harness-record=none{quote}\n"
    )
    again = rewrite_config(result.data, section.encode())
    assert (again.data, again.changed) == (result.data, [])


def test_command_shows_first_and_writes_when_asked(tmp_path: Path) -> None:
    """Without --write not a byte changes; with it what was shown is done."""
    tests = tmp_path / "tests"
    tests.mkdir()
    test = tests / "test_it.py"
    test.write_text("@pytest.mark.vcr\ndef test_x(): ...\n", encoding="utf-8")
    config = tmp_path / "pytest.ini"
    config.write_text("[pytest]\n", encoding="utf-8")
    before = test.read_bytes(), config.read_bytes()
    shown = harness("init", "--from-vcr", cwd=tmp_path)
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "tests/test_it.py:1: pytest.mark.vcr -> pytest.mark.harness",
        "pytest.ini:1: added: harness_match_on = vcrpy",
        "pytest.ini:1: added: harness_unplayed = ignore",
    ]
    assert "3 changes to make (nothing was written: add --write)" in shown.err
    assert (test.read_bytes(), config.read_bytes()) == before
    done = harness("init", "--from-vcr", "--write", cwd=tmp_path)
    assert (done.code, done.out) == (0, shown.out)
    assert "mark.harness" in test.read_text("utf-8")
    assert config.read_text("utf-8").endswith("harness_unplayed = ignore\n")
    assert harness("init", "--from-vcr", "--write", cwd=tmp_path).out == ""


def test_what_is_left_is_a_finding(tmp_path: Path) -> None:
    """Exit code 1, so that a script notices; a wrong call is 2."""
    (tmp_path / "tests").mkdir()
    text = "@pytest.mark.vcr('a')\ndef f(): ...\n"
    (tmp_path / "tests" / "test_it.py").write_text(text, encoding="utf-8")
    done = harness("init", "--from-vcr", cwd=tmp_path)
    assert done.code == 1
    assert done.out.startswith("tests/test_it.py:1: left to you: @pytest.mark.vcr: ")
    assert harness("init", "--write", cwd=tmp_path).code == 2
    assert harness("init", "--from-vcr", "nowhere", cwd=tmp_path).code == 2
