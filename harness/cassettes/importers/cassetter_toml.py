"""Cassettes of cassetter in TOML."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from harness.cassettes.importers.base import TextImporter
from harness.cassettes.importers.cassetter import read
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_TABLE = re.compile(r"^\[\[interactions\]\]\s*$", re.MULTILINE)


def _sniff(text: str) -> bool:
    return bool(_TABLE.search(text))


def _read(text: str, path: str) -> list[Exchange]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CassetteCorruptError(path, f"the TOML does not parse: {error}") from None
    return read(document, path)


IMPORTER = TextImporter("a cassette of cassetter in TOML", _sniff, _read)
"""The importer."""
