"""What is found in a recording, and how it is shown."""

# ruff: noqa: E501 - a finding is read on one line

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassettes.library import find_recordings
from harness.cassettes.load import load_cassette
from harness.errors import CassetteError
from harness.redaction.config import Redaction, redacted_url
from harness.redaction.redact import redact_cassette
from harness.redaction.scan import Finding, scan, scan_file
from tests.shared import SHARED, corpus_files, needs_shared
from tests.unit.store.recordings import STREAM, document, interaction, save, sse
from tests.unit.store.searched import SEARCHED, forget
from tests.unit.store.secrets_planted import CORE, KEYS, core

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", KEYS)
def test_key_is_found_and_not_shown(tmp_path: Path, name: str) -> None:
    """Every shape is found in a body, with its offset, and the excerpt hides it."""
    body = f'{{"a": "{KEYS[name]}"}}'
    path = save(tmp_path, document(interaction(request={"body": body})))
    findings = scan(path)
    assert findings
    assert findings[0].place.startswith("request body, byte ")
    assert findings[0].exchange == 0
    for finding in findings:
        assert core(name)[:8] not in str(finding)


def test_findings_name_file_exchange_place_kind_and_shape(tmp_path: Path) -> None:
    """A finding says where to look and what it is, in one line."""
    leak = interaction(
        sse({"x": KEYS["github"]}),
        headers={"Set-Cookie": [f"a={CORE}"], "x-request-id": ["req_1234567890"]},
        request={
            "uri": "http://h/?key=abcdef12",
            "headers": {
                "Authorization": ["Bearer abc"],
                "openai-organization": ["acme"],
            },
            "body": '{"password": "hunter2"}',
        },
    )
    path = save(tmp_path, document(interaction(), leak))
    assert scan(path) == [
        Finding(str(path), 1, *rest)
        for rest in [
            ("request url", "credential by parameter name", "*** (8 characters)"),
            ("request header authorization", "credential header", "*** (10 characters)"),
            ("request header openai-organization", "identifying header", "*** (4 characters)"),
            ("request body, byte 14", "credential by field name", "*** (7 characters)"),
            ("response header set-cookie", "credential header", "*** (38 characters)"),
            ("response body, byte 13", "GitHub token", "ghp_*** (40 characters)"),
        ]
    ]  # fmt: skip
    assert str(scan(path)[0]) == (
        f"{path}: exchange 1: request url: credential by parameter name: "
        "*** (8 characters)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "app password: aB3d E5gH 7jK9 mN1p Q3sT 5vW7",
        '{"headers": {"cookie": "theme=dark; sid=q7Zt9wB2xK4mR8vN3s"}}',
    ],
)
def test_secret_with_blanks_is_found(tmp_path: Path, text: str) -> None:
    """Groups of characters and pairs of cookies are no sentence."""
    body = json.dumps({"content": text})
    assert len(scan(save(tmp_path, document(interaction(body))))) == 1


@pytest.mark.parametrize(
    "value",
    ["REDACTED", "Bearer REDACTED", "***", "<API_KEY>", "XXX", "Bearer xxxxx", "dummy",
     "Bearer test", "", "[FILTERED]", "your-api-key", "Bearer your_token_here"],
)  # fmt: skip
def test_placeholder_in_a_credential_header_is_no_finding(
    tmp_path: Path, value: str
) -> None:
    """What stands for a secret is no secret."""
    doc = document(interaction(request={"headers": {"authorization": [value]}}))
    assert scan(save(tmp_path, doc)) == []


@pytest.mark.parametrize(
    "text",
    ["sk-xxxxxxxxxxxxxxxxxxxx", '"password": "string"}'[:12], "postgres://user:password@db/x",
     "https://{user}:{pass}@host", "?key=<KEY>", '"password": "your password here"',
     "task-force-of-the-century", "Bearer authentication is described in RFC 6750"],
)  # fmt: skip
def test_example_in_a_body_is_no_finding(tmp_path: Path, text: str) -> None:
    """Prompts and answers explain credentials without holding any."""
    assert scan(save(tmp_path, document(interaction(text)))) == []


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Authorization": "Bearer {CORE}"}}',
        f'[{{"name": "Authorization", "value": "Token {CORE}"}}]',
        "redis-cli -a 22594627 ping",
        "curl -H 'Authorization: Bearer aab4dor4u'",
        "kind: Secret\nstringData:\n  pin: 06177121\n",
        "docker login -u me -p 86509813",
    ],
)
def test_secret_without_a_prefix_is_a_finding(tmp_path: Path, text: str) -> None:
    """Behind a scheme, and short: what recording removes, the scanner reports."""
    body = json.dumps({"content": text})
    [finding, *_] = scan(save(tmp_path, document(interaction(body))))
    assert finding.place.startswith("response body")


def test_key_outside_the_exchanges_is_found_with_its_line(tmp_path: Path) -> None:
    """A comment or a key that nothing reads can leak as well."""
    text = save(tmp_path, document()).read_bytes() + (
        f"# recorded with {KEYS['openai']}\n".encode()
    )
    path = save(tmp_path, text)
    [finding] = scan(path)
    assert finding.exchange is None
    assert finding.place == f"line {len(text.splitlines())}"
    assert finding.kind == "OpenAI key"


def test_key_inside_an_exchange_is_reported_once(tmp_path: Path) -> None:
    """The search of the whole file does not repeat what the exchanges showed."""
    doc = document(interaction(sse({"x": KEYS["openai"]})))
    assert len(scan(save(tmp_path, doc))) == 1


def test_key_in_fragments_is_reported_once(tmp_path: Path) -> None:
    """A key that a stream brought piece by piece is one finding at its first byte."""
    key = KEYS["openai"]
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": key[i : i + 5]}}]}
        for i in range(0, len(key), 5)
    ]
    [finding] = scan(save(tmp_path, document(interaction(sse(*chunks)))))
    assert finding.kind == "OpenAI key"
    assert finding.excerpt == f"sk-proj-*** ({len(key)} characters)"


@pytest.mark.slow
def test_large_text_is_scanned_to_its_end(tmp_path: Path) -> None:
    """Text that is not held in memory while replaying is searched all the same."""
    path = save(tmp_path, STREAM * 6000 + sse({"x": KEYS["github"]}), "c.sse")
    assert path.stat().st_size > 1 << 20
    assert [finding.kind for finding in scan(path)] == ["GitHub token"]


def test_configuration_of_redaction_counts(tmp_path: Path) -> None:
    """What is allowed is no finding, what is denied is one."""
    path = save(
        tmp_path, document(interaction(sse({"x": KEYS["github"], "y": "cust-12345"})))
    )
    allowed = frozenset({KEYS["github"]})
    assert scan(path, Redaction(allow=allowed)) == []
    [finding] = scan(path, Redaction(allow=allowed, patterns=(r"cust-\d+",)))
    assert finding.kind == "configured pattern"


def test_folder_is_scanned_and_a_broken_file_is_an_error(tmp_path: Path) -> None:
    """All cassettes of a folder are read; one that cannot be is not passed over."""
    save(tmp_path, document(interaction(sse({"x": KEYS["github"]}))), "a.yaml")
    save(tmp_path, document(interaction(sse({"x": KEYS["groq"]}))), "b.yaml")
    assert [f.kind for f in scan(tmp_path)] == ["GitHub token", "Groq key"]
    save(tmp_path, b"interactions:\n- request: [\n", "c.yaml")
    with pytest.raises(CassetteError, match="does not parse"):
        scan(tmp_path)


@pytest.mark.parametrize("every", [60, pytest.param(1, marks=pytest.mark.slow)])
def test_corpus_has_no_finding(every: int) -> None:
    """370 recordings of other projects, cleaned by them, give no false alarm.

    The check of the whole corpus in `test_checking.py` looks for secrets too.
    """
    assert [found for path in corpus_files()[::every] for found in scan(path)] == []


@needs_shared
@pytest.mark.parametrize("every", [72, pytest.param(1, marks=pytest.mark.slow)])
def test_protocol_recordings_have_no_finding(every: int) -> None:
    """Nor do recordings of the other APIs: their states and signatures stay."""
    for path in sorted((SHARED / "protocols").rglob("*.yaml"))[::every]:
        assert scan(path, SEARCHED) == []
        cassette = load_cassette(path)
        assert redact_cassette(cassette, SEARCHED) == cassette, path
        forget()


def test_urls_in_messages_lose_their_secrets() -> None:
    """Whatever prints a URL prints it as a cassette has it."""
    key = "AI" + "za" + "Sy" + "Zx9k" * 9
    line = f"POST https://u:pw@host/v1/m?alt=sse&key={key} 200 complete"
    assert redacted_url(line) == (
        "POST https://REDACTED@host/v1/m?alt=sse&key=REDACTED 200 complete"
    )


def test_folder_is_scanned_for_every_format(tmp_path: Path) -> None:
    """Streams and JSON lines whatever their names; other files are passed over."""
    key = KEYS["github"]
    (tmp_path / "a.txt").write_text(sse({"x": key}))
    (tmp_path / "b.sse").write_text(sse({"x": key}))
    (tmp_path / "c.jsonl").write_text(f'{{"x": "{key}"}}\n{{"x": "b"}}\n')
    (tmp_path / "README.txt").write_text(f"# token: {key}\n")
    (tmp_path / "package.json").write_text('{"name": "a", "version": "1"}')
    found = find_recordings(tmp_path)
    assert found.cassettes == []
    assert {path[-5:] for path in found.others} >= {"a.txt", "b.sse", "jsonl"}
    assert {Path(one.path).name for one in scan(tmp_path)} >= {"a.txt", "b.sse"}
    assert found.passed_over + len(found.others) == 5


def test_archives_and_compressed_files_of_a_folder_are_scanned(tmp_path: Path) -> None:
    """Each recording in one is searched; what cannot be read is an error, after that."""
    stream = sse({"x": KEYS["github"]}).encode()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.sse", stream)
        archive.writestr("bad.yaml", "interactions:\n- request: [\n")
        archive.writestr("package.json", '{"name": "a"}')
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("b.sse")
        info.size = len(stream)
        tar.addfile(info, io.BytesIO(stream))
    (tmp_path / "c.sse.gz").write_bytes(gzip.compress(stream))
    (tmp_path / "d.sse.zst").write_bytes(zstd.compress(stream))
    (tmp_path / "e.tar").write_bytes(b"no archive")
    (tmp_path / "f.bin.gz").write_bytes(gzip.compress(b"no recording"))
    found = find_recordings(tmp_path)
    assert found.passed_over == 1
    results = {Path(name).name: scan_file(name) for name in found.others}
    places = [one.path for result in results.values() for one in result.findings]
    assert [Path(place).name for place in places] == [
        "a.sse", "b.tar.gz!b.sse", "c.sse.gz", "d.sse.zst",
    ]  # fmt: skip
    assert results["a.zip"].searched == results["a.zip"].passed_over == 1
    assert ["bad.yaml" in str(one) for one in results["a.zip"].problems] == [True]
    assert ["damaged" in str(one) for one in results["e.tar"].problems] == [True]
    with pytest.raises(CassetteError, match=r"bad\.yaml"):
        scan(tmp_path)


@pytest.mark.parametrize("damage", [slice(-9), slice(4)], ids=["cut", "other"])
@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".zst", zstd.compress)]
)
def test_a_damaged_compressed_file_is_named(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes], damage: slice
) -> None:
    """Its end is missing, or other bytes follow the first: one line names either."""
    path = tmp_path / f"a.sse{ending}"
    path.write_bytes(pack(STREAM.encode())[damage] + b"\xff" * (damage.stop == 4) * 40)
    (problem,) = scan_file(str(path)).problems
    assert "a.sse" in str(problem)
    assert "does not decompress" in str(problem)
