"""Finding cassettes: what a file or folder named on a command line stands for.

Owns which files of a folder are cassettes. They are known by their beginning,
without parsing: a folder may hold a lock file of many megabytes beside them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from harness.cassettes.file_endings import ENDINGS, is_packed
from harness.cassettes.formats import Format, detect_format, strange
from harness.cassettes.inputs import STDIN, missing
from harness.cassettes.journal_text import has_exchange, is_journal
from harness.core.patterns import late
from harness.errors import CassetteError, CassetteMissingError

_SNIFFED = 1 << 20  # bytes; `interactions` stands before any body unless hand-made

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})

# In block style a key in column 0 is a key of the document, whatever stands around.
BLOCK_KEY = re.compile(
    rb"^(?:\xef\xbb\xbf)?[\"']?(?:http_)?interactions[\"']?[ \t]*:"
    rb"[ \t]*(?:[&!][\w!./:-]*[ \t]+)*(\[|(?:#.*)?\r?$)",
    re.MULTILINE,
)
"""Finds the key that makes a YAML document a cassette."""
_REQUEST_KEY = late(
    rb"(?:^|[\s{,-])[\"']?(?:request|response)[\"']?[ \t]*:", re.MULTILINE
)
_CONTROL = late(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_FLOW_TOKEN = late(rb"\"(?:[^\"\\]|\\.)*\"|[{}\[\]]|[A-Za-z_]+(?=\s*:)", re.DOTALL)

_HAR = late(rb'"log"\s*:\s*\{(?=.{0,4096}?"(?:creator|entries)"\s*:)', re.DOTALL)
_FIXTURES = late(rb'"fixtures"\s*:\s*\[\s*\{\s*"(?:match|response)"\s*:')
_TABLE = late(rb"^\[\[interactions\]\]\s*$", re.MULTILINE)


def find_cassettes(
    path: str | os.PathLike[str], *, with_journals: bool = False
) -> list[str]:
    """Return the recordings that a path stands for.

    Args:
        path: A file, a folder, or ``-`` for standard input.
        with_journals: Of a folder, also return the journals that recordings left;
            one that holds nothing yet is passed over.

    Returns:
        A file or ``-`` is itself, whatever it holds. A folder is searched through
        all its folders for `*.yaml`, `*.yml`, `*.json`, `*.har` and `*.toml` that are
        cassettes, ours or of another recorder, in the order of their names. Hidden
        files and folders, virtual environments, `node_modules`, `site-packages` and
        links to folders are left out.

    Raises:
        CassetteMissingError: There is nothing of that name.
        CassetteError: It is a folder without cassettes, or cannot be read.
    """
    name = os.fspath(path)
    if not name:  # as of a variable of the shell that is not set
        raise CassetteMissingError("''", "is no name of a file or folder")
    place = Path(name)
    if name == STDIN or (place.exists() and not place.is_dir()):
        return [name]
    if not place.is_dir():
        raise missing(name)
    found = _searched(name, with_journals=with_journals).cassettes
    if not found:
        raise CassetteError(
            name,
            "no cassettes in this folder; expected *.yaml, *.yml or *.json "
            "with `interactions` (name other files one by one)",
        )
    return found


class Recordings(NamedTuple):
    """What of a folder may be a recording."""

    cassettes: list[str]
    """Cassettes, and journals that recordings left."""
    others: list[str]
    """Files that begin as another format that is read, and archives of recordings;
    some are something else."""
    passed_over: int
    """How many files are neither; hidden ones and those of tools do not count."""


def find_recordings(path: str | os.PathLike[str]) -> Recordings:
    """Return what `find_cassettes` does with journals, and files in other formats.

    Raises:
        CassetteError: As `find_cassettes`; a folder needs no cassette, but a file.
    """
    name = os.fspath(path)
    if not Path(name).is_dir():
        return Recordings(find_cassettes(name), [], 0)
    found = _searched(name, with_journals=True)
    others = [one for one in found.others if is_packed(one) or _may_be_stream(one)]
    if not found.cassettes and not others:
        find_cassettes(name)  # raises
    return found._replace(others=others, passed_over=len(found.others) - len(others))


def _searched(folder: str, *, with_journals: bool) -> Recordings:
    found = Recordings([], [], 0)
    try:
        _search(folder, found, with_journals=with_journals)
    except OSError as error:
        raise CassetteError(
            error.filename or folder, f"cannot be read ({error.strerror})"
        ) from None
    return found


def _may_be_stream(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return True  # as a cassette
    kind = detect_format(head, is_whole=len(head) < 1 << 16)
    return kind is not Format.YAML and not strange(head)


def _search(folder: str, found: Recordings, *, with_journals: bool) -> None:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith("."):
            is_one = with_journals and is_journal(entry.name) and entry.is_file()
            if is_one and has_exchange(entry.path):
                found.cassettes.append(entry.path)
            continue
        if entry.is_dir(follow_symlinks=False):
            venv_mark = Path(entry.path, "pyvenv.cfg")
            if entry.name not in _SKIPPED and not venv_mark.exists():
                _search(entry.path, found, with_journals=with_journals)
        elif entry.is_file() or leads_nowhere(entry):
            is_one = entry.name.lower().endswith(ENDINGS)
            is_one = is_one and _may_be_cassette(entry.path)
            (found.cassettes if is_one else found.others).append(entry.path)


def leads_nowhere(file: os.DirEntry[str] | Path) -> bool:
    """Return whether it is a link to what is not there, which whoever reads it names.

    A checkout without its large files has them in place of recordings.
    """
    return file.is_symlink() and not os.path.exists(file)  # noqa: PTH110 - an entry


def _may_be_cassette(path: str) -> bool:
    try:
        return is_cassette(path)
    except OSError:
        return True  # whoever reads it reports it; the others are read all the same


def is_cassette(path: str) -> bool:
    """Return whether a YAML or JSON file is a cassette, from its first mebibyte.

    Args:
        path: A file.

    Returns:
        True where the document has `interactions` with requests, or none yet; also
        of a damaged cassette, so that it is reported and not passed over.

    Raises:
        OSError: The file cannot be read.
    """
    with Path(path).open("rb") as file:
        head = file.read(_SNIFFED)
    return begins_cassette(head)


def begins_cassette(text: bytes) -> bool:
    """Say of the text of a file what `is_cassette` says of the file."""
    head = text[:_SNIFFED]
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _is_flow_cassette(head)
    key = BLOCK_KEY.search(head)
    if key is None:
        return bool(_TABLE.search(head))
    return _is_list_of_exchanges(head[key.start(1) :].lstrip(), head)


def _is_flow_cassette(head: bytes) -> bool:
    """Look for the key at the top level of JSON, or of YAML written like it."""
    depth = 0
    for token in _FLOW_TOKEN.finditer(head):
        text = token[0]
        if text in {b"{", b"["}:
            depth += 1
        elif text in {b"}", b"]"}:
            depth -= 1
        elif depth == 1 and text == b'"log"':
            return bool(_HAR.match(head, token.start()))
        elif depth == 1 and text == b'"fixtures"':
            return bool(_FIXTURES.match(head, token.start()))
        elif depth == 1 and text.strip(b"\"'") in {
            b"interactions",
            b"http_interactions",
        }:
            value = head[token.end() :].lstrip().removeprefix(b":").lstrip()
            return value[:1] in {b"[", b""} and _is_list_of_exchanges(value, head)
    return False


def _is_list_of_exchanges(value: bytes, head: bytes) -> bool:
    """Return whether a list has requests, is empty, or breaks off before its first."""
    if value[:1] == b"[" and value[1:].lstrip()[:1] == b"]":
        return True
    if _REQUEST_KEY.search(value) or _CONTROL.search(value):
        return True
    tokens = [token[0] for token in _FLOW_TOKEN.finditer(value)]
    opened = sum(map(tokens.count, (b"[", b"{")))
    is_cut = opened > sum(map(tokens.count, (b"]", b"}")))
    return len(head) < _SNIFFED and (is_cut or not value)
