"""Cassettes of cassetter in TOML."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from harness.cassettes.importers.recorders import read_cassetter
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_TABLE = re.compile(r"^\[\[interactions\]\]\s*$", re.MULTILINE)


def sniff(text: str) -> bool:
    """Recognise a cassette."""
    return bool(_TABLE.search(text))


def read(text: str, path: str) -> list[Exchange]:
    """Read a cassette."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CassetteCorruptError(path, f"the TOML does not parse: {error}") from None
    return read_cassetter(document, path)
