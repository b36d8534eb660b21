"""Small corpora for tests, and reading the rows of a sweep."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = ROOT / "cassettes/stock-vcrpy/text.yaml"
BROKEN = ROOT / "cassettes/llama-server/server-dies.yaml"
TURNS = ROOT / "cassettes/stock-vcrpy/two-turns.yaml"


def all_forms(folder: Path) -> Path:
    """Write a folder with a recording in every form that a corpus may have."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a-text.yaml").write_bytes(TEXT.read_bytes())
    (folder / "b-turns.yaml.gz").write_bytes(gzip.compress(TURNS.read_bytes(), mtime=0))
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("in/broken.yaml", BROKEN.read_bytes())
        archive.writestr("in/README.md", "no recording")
    with tarfile.open(folder / "d.tar.gz", "w:gz") as tar:
        data = TEXT.read_bytes()  # the same again: a duplicate
        info = tarfile.TarInfo("again.yaml")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    (folder / "e.sse").write_text(
        'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":'
        '{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
        encoding="utf-8",
    )
    (folder / "f.json").write_text('{"lockfileVersion": 3}', encoding="utf-8")
    (folder / "notes.md").write_text("no recording", encoding="utf-8")
    return folder


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a sweep, `seconds` left out."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in rows:
        del row["seconds"]
    return rows
