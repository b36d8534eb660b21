"""`harness check` and `harness scan`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "cassettes/stock-vcrpy/text.yaml").read_text("utf-8")


ON_PURPOSE = {
    "llama-cpp-python/client-stops.yaml": "broken-stream",
    "llama-cpp-python/length-arguments.yaml": "malformed-arguments",
    "llama-cpp-python/server-dies.yaml": "broken-stream",
    "llama-server/client-stops.yaml": "broken-stream",
    "llama-server/length-arguments.yaml": "malformed-arguments",
    "llama-server/server-dies.yaml": "broken-stream",
}
"""Recordings that were made to show a problem, and which."""


def test_cassettes_of_this_repository_have_the_problems_they_show() -> None:
    """`check` finds what a recording was made to show, and nothing else.

    What it finds in those that vendors' SDKs recorded: `tests/test_sdk_cassettes.py`.
    """
    folders = (f"cassettes/{name}" for name in ("llama-cpp-python", "llama-server"))
    result = harness("check", *folders, "cassettes/stock-vcrpy", "--quiet")
    lines = result.out.splitlines()
    assert (result.code, result.err, len(lines)) == (1, "", len(ON_PURPOSE))
    for line, (name, kind) in zip(lines, ON_PURPOSE.items(), strict=True):
        assert line.startswith(f"cassettes/{name}: exchange 0: ")
        assert f"{kind}: " in line


def test_cassettes_of_this_repository_hold_no_secret() -> None:
    """What is committed here can be published."""
    result = harness("scan", "cassettes", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_check_lists_what_is_wrong(tmp_path: Path) -> None:
    """A stream without its end is a problem with its exchange, exit 1."""
    path = tmp_path / "cut.yaml"
    text = TEXT.replace("data: [DONE]", ": ").replace('"finish_reason":"stop"', '"a":1')
    path.write_text(text, encoding="utf-8")
    result = harness("check", str(path))
    assert result.code == 1
    assert f"{path}: exchange 0: " in result.out
    assert "no finish_reason" in result.out
    assert result.err.startswith("1 checked, 1 problem, ")


def test_scan_finds_a_key_and_does_not_show_it(tmp_path: Path) -> None:
    """A planted key is named by place and kind, masked, exit 1."""
    secret = "sk-" + "proj-" + "Zx9" * 16
    path = tmp_path / "leak.yaml"
    path.write_text(TEXT.replace("rainbow", secret, 1), encoding="utf-8")
    result = harness("scan", str(path))
    assert result.code == 1
    assert str(path) in result.out
    assert secret not in result.out + result.err
    assert result.err == "1 scanned, 1 secret found\n"


@pytest.mark.parametrize("command", ["check", "scan"])
def test_missing_file_is_one_line(command: str, tmp_path: Path) -> None:
    """A file that is not there is wrong usage."""
    result = harness(command, str(tmp_path / "none.yaml"), "--quiet")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1


def test_scan_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Broken files are named, without what they hold; the others are scanned."""
    secret = "gh" + "p_" + "Zx9k" * 9
    (tmp_path / "a.yaml").write_text(
        f"interactions:\n- request: [{secret}\n", encoding="utf-8"
    )
    (tmp_path / "b.yaml").write_text(
        TEXT.replace("rainbow", secret, 1), encoding="utf-8"
    )
    (tmp_path / "c.yaml").write_text(
        f"interactions: [{{request: {secret}}}]", encoding="utf-8"
    )
    result = harness("scan", str(tmp_path / "none.yaml"), str(tmp_path))
    assert result.code == 2
    assert "b.yaml: exchange 0: " in result.out
    assert "a.yaml" in result.err
    assert "c.yaml" in result.err
    assert secret[8:] not in result.out + result.err
    assert result.err.endswith("1 scanned, 1 secret found, 3 could not be read\n")


@pytest.mark.parametrize("name", ["x.sse", "x.jsonl", "x.json", "x.http"])
def test_scan_reads_what_replay_reads(name: str, tmp_path: Path) -> None:
    """Event streams, JSON lines, whole answers and saved heads are looked through."""
    secret = "gh" + "p_" + "Zx9k" * 9
    chunk = (
        '{"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
        f'{{"content":"{secret}"}}}}]}}'
    )
    text = {
        "x.sse": f"data: {chunk}\n\ndata: [DONE]\n\n",
        "x.jsonl": f"{chunk}\n{chunk}\n",
        "x.json": '{"object":"chat.completion","choices":[{"index":0,"message":'
        f'{{"role":"assistant","content":"{secret}"}}}}]}}',
        "x.http": f"HTTP/1.1 200 OK\r\nx-a: {secret}\r\n\r\ndata: [DONE]\n\n",
    }[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    result = harness("scan", str(path))
    assert result.code == 1
    assert "GitHub token: ghp_*** (40 characters)" in result.out
    assert secret[8:] not in result.out + result.err


def test_scan_looks_for_personal_data_where_asked(tmp_path: Path) -> None:
    """Addresses are no finding unless the option asks for them."""
    path = tmp_path / "mail.yaml"
    path.write_text(TEXT.replace("rainbow", "jo@mail.example", 1), encoding="utf-8")
    assert harness("scan", str(path)).code == 0
    result = harness("scan", str(path), "--personal", "email")
    assert result.code == 1
    assert "e-mail address: *** (15 characters)" in result.out


def test_commands_print_urls_without_their_secrets(tmp_path: Path) -> None:
    """`show` and `scan` print a recorded URL as a cassette would have it."""
    key = "AI" + "za" + "Sy" + "Zx9k" * 9
    path = tmp_path / "url.yaml"
    path.write_text(
        TEXT.replace("/chat/completions", f"/chat/completions?key={key}", 1),
        encoding="utf-8",
    )
    for command in ("show", "ls", "scan"):
        result = harness(command, str(path))
        assert key[6:] not in result.out + result.err
    assert "key=REDACTED" in harness("show", str(path)).out


KEY = "AI" + "zaSyaB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3"
REQUEST = {"method": "GET", "uri": "http://h"}
BROKEN = {
    "uri.json": json.dumps(
        {"interactions": [{"request": {**REQUEST, "uri": f"http://u:{KEY}@[x/?{KEY}"}}]}
    ),
    "yaml.yaml": f"interactions:\n- request: {{uri: '{KEY}', x: [{KEY}\n y",
    "status.json": json.dumps(
        {"interactions": [{"request": REQUEST, "response": {"status": {"code": KEY}}}]}
    ),
    "refused.yaml": "interactions:\n- request: {method: GET, uri: 'http://h/v1'}\n  "
    f"response: {{status: {{code: 401}}, body: {{string: 'bad key {KEY}'}}}}\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_error_that_quotes_a_file_shows_no_key_of_it(tmp_path: Path, name: str) -> None:
    """Whichever command reads it, on either stream; the file is named all the same."""
    path = tmp_path / name
    path.write_text(BROKEN[name])
    for command in ("check", "scan", "ls", "replay"):
        result = harness(command, str(path))
        assert name in result.out + result.err, command
        assert KEY[4:12] not in result.out + result.err, command
