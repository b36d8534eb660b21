"""Object storage: a corpus in a bucket, and the rows written back into it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.corpus.places import Place
from harness.errors import CassetteError, CassetteMissingError, UsageError
from tests.cli.running import Result, harness_process
from tests.corpus.folders import TEXT, all_forms, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEYabcd"


def test_a_place_without_fsspec_is_an_error_with_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A URL says what to install; a path needs nothing."""
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"agent-stream-harness\[corpus\]"):
        Place("s3://bucket/x")
    assert Place("cassettes").is_local


def test_credentials_of_a_url_are_not_shown() -> None:
    """What is printed of a place has no password, and no error of it either."""
    pytest.importorskip("fsspec", reason="URLs need fsspec")
    place = Place("memory://user:Tr0ub4dor-and-3@host/corpus")
    assert "Tr0ub4dor" not in place.shown
    with pytest.raises(CassetteError) as caught:
        list(place.files())
    assert "Tr0ub4dor" not in str(caught.value)


def test_a_link_to_nothing_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is listed, so that a sweep sets it apart and names it."""
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    place = Place(str(tmp_path))
    assert [found.name for found in place.files()] == ["gone.yaml"]
    with pytest.raises(CassetteMissingError):
        place.open("gone.yaml")


def test_memory_is_a_place_like_a_folder() -> None:
    """What fsspec stores is listed, read, replaced and removed as files are."""
    pytest.importorskip("fsspec", reason="URLs need fsspec")
    place = Place("memory://here")
    place.write(b"one", "b/x.sse")
    place.write(b"two", "a.sse")
    assert [(found.name, found.size) for found in place.files()] == [
        ("a.sse", 3),
        ("b/x.sse", 3),
    ]
    assert place.read("a.sse") == b"two"
    with place.beside(".rows").creating() as file:
        file.write(b"rows")
    assert Place("memory://here.rows").read() == b"rows"
    place.remove("a.sse")
    place.remove("a.sse")
    assert not place.has("a.sse")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve S3 on loopback; yield a client with a bucket named `corpora`."""
    moto = pytest.importorskip("moto.server", reason="an S3 server needs moto[server]")
    pytest.importorskip("s3fs", reason="s3:// needs s3fs")
    boto3 = pytest.importorskip("boto3", reason="the bucket is made with boto3")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="corpora")
    try:
        yield client
    finally:
        client.close()
        server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of moto's server
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of botocore's clock
def test_a_bucket_is_packed_swept_and_written_to(bucket: Any, tmp_path: Path) -> None:
    """Pack, sweep, go on, write rows back: as on disk, and no credentials anywhere."""
    source = all_forms(tmp_path / "in")
    for path in source.iterdir():
        bucket.upload_file(str(path), "corpora", f"day/{path.name}")
    seen: list[Result] = []

    def run(*arguments: str) -> int:
        seen.append(harness_process(*arguments, cwd=tmp_path))
        return seen[-1].code

    target = "s3://corpora/packed"
    assert run("corpus", "pack", "s3://corpora/day", "-o", target, "--jobs", "1") == 0
    assert "5 streams packed, 1 were there already" in seen[-1].err
    assert run("corpus", "pack", "s3://corpora/day", "-o", target, "--jobs", "1") == 0
    assert "0 streams packed, 0 were there already; 6 files" in seen[-1].err
    assert run("corpus", "pack", "in", "-o", "packed", "--jobs", "1") == 0
    sweep = ("sweep", "--jobs", "1", "--output")
    assert run(*sweep, "local.jsonl", "packed") == 1
    assert run(*sweep, "s3://corpora/rows.jsonl", target) == 1
    assert run(*sweep, "s3://corpora/rows.parquet", target) == 1
    rows = _object(bucket, "rows.jsonl")
    (tmp_path / "remote.jsonl").write_bytes(rows)
    assert rows_of(tmp_path / "remote.jsonl") == [
        {**row, "source": row["source"]} for row in rows_of(tmp_path / "local.jsonl")
    ]
    # What an interrupted sweep leaves: the first rows, beside the output.
    lines = rows.splitlines(keepends=True)
    part = {"Bucket": "corpora", "Key": "again.jsonl.partial/00000000.jsonl"}
    bucket.put_object(**part, Body=b"".join(lines[:3]))
    assert run(*sweep, "s3://corpora/again.jsonl", target) == 1
    again = _object(bucket, "again.jsonl")
    assert again.splitlines(keepends=True)[:3] == lines[:3]
    assert [json.loads(line)["id"] for line in again.splitlines()] == [
        json.loads(line)["id"] for line in lines
    ]
    assert run("sweep", "s3://corpora/nothing", "--output", "x.jsonl") == 2
    assert run("sweep", "s3://no-such-bucket/x", "--output", "x.jsonl") == 2
    keys = [each["Key"] for each in bucket.list_objects(Bucket="corpora")["Contents"]]
    assert not [key for key in keys if ".partial" in key]
    written = [_object(bucket, key) for key in keys if not key.startswith("day/")]
    printed = [text for result in seen for text in (result.out, result.err)]
    for text in (*written, *map(str.encode, printed)):
        assert KEY.encode() not in text
        assert SECRET.encode() not in text
        assert b"Traceback" not in text


def _object(client: Any, key: str) -> bytes:
    body: bytes = client.get_object(Bucket="corpora", Key=key)["Body"].read()
    return body


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    """10 000 streams take at most 20 % more memory than 2 000."""
    pytest.importorskip("pyarrow", reason="data sets need pyarrow")
    from harness.cassettes.load import load_cassette
    from harness.corpus.parquet import parquet_bytes
    from harness.corpus.stream_rows import Labels, Stream
    from tests.corpus.speed import measure

    [exchange] = load_cassette(TEXT).exchanges
    # One event of as many bytes: what workers do is no part of what is measured.
    chunk = '{"choices": [{"index": 0, "delta": {"content": "@"}}]}'
    text = "word " * (len(exchange.response.body) // 5)
    exchange.response.body = f"data: {chunk.replace('@', text)}\n\n".encode()
    peaks = []
    for parts in (1, 5):
        folder = tmp_path / str(parts)
        folder.mkdir()
        for part in range(parts):
            streams = [
                Stream(f"{part:016x}{n:016x}", exchange, Labels()).to_row()
                for n in range(2000)
            ]
            name = f"part-{part:05d}.parquet"
            (folder / name).write_bytes(parquet_bytes(streams, {}))
        # The cheapest check.
        _, mib, rows = measure(str(folder), "check", "--jobs", "2")
        assert rows == 2000 * parts
        peaks.append(mib)
    assert peaks[1] <= 1.2 * peaks[0], peaks
