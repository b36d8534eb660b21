"""Tables of an API that are written as text, in its folder's `tables.txt`.

A table stands under a heading such as `## rules`. What comes before the first heading
is for its readers, but for names such as `GUIDE = the guide`, for which `{GUIDE}`
stands in the tables. Tables of fields are read by `harness.apis.accounting`. The
others have a row a line, its cells divided by `|`:

    kimi | no content_block_stop between blocks; input_tokens include the cache
        | breaks block-bracket | source langchainjs#10249

An indented line goes on with the row above it. A cell behind name and summary is the
name of a field and its value.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from harness.apis.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.abc import ResourceLoader

_NAME = re.compile(r"^([A-Z]+) = (.*)$", re.MULTILINE)


def file_of(api: str, name: str) -> str:
    """Return the text of a file in the folder of an API."""
    folder = __file__.removesuffix(__name__.rpartition(".")[2] + ".py")
    assert __spec__ is not None
    loader = cast("ResourceLoader", __spec__.loader)  # as of the modules: zip files too
    return loader.get_data(f"{folder}{api}/{name}").decode()


@cache
def tables_of(api: str) -> dict[str, str]:
    """Return the tables of an API by their headings."""
    head, *tables = file_of(api, "tables.txt").split("\n## ")
    for name, meaning in _NAME.findall(head):
        tables = [table.replace(f"{{{name}}}", meaning) for table in tables]
    return dict(table.split("\n", 1) for table in tables)


def read_table(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the name, the summary and the other fields of each row of a table."""
    for name, summary, *cells in _rows(text):
        yield name, summary, dict(cell.split(" ", 1) for cell in cells)


def read_rules(api: str) -> dict[str, Rule]:
    """Return an API's rules by their names without the API.

    A row of their table is name, summary and source.
    """
    return {
        name: Rule(f"{api}/{name}", summary, source)
        for name, summary, source in _rows(tables_of(api)["rules"])
    }


def _rows(text: str) -> Iterator[list[str]]:
    rows: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            rows[-1] += f" {line.strip()}"
        else:
            rows.append(line)
    return (row.split(" | ") for row in rows)
