"""Tables of the package that are kept as text: data, read where it is looked at."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import ResourceLoader

_NAME = re.compile(r"^([A-Z0-9_]+) = (.*)$", re.MULTILINE)


def package_file(package: str, name: str) -> str:
    """Return the text of a file in the folder of a package.

    As its modules are loaded, so that a zip file does too; `importlib.resources` takes
    longer to import than most tables to read.

    Args:
        package: An imported package, such as ``harness.redaction``.
        name: The file, also one in a folder below: ``chat/tables.txt``.
    """
    module = sys.modules[package]
    assert module.__spec__ is not None
    loader = cast("ResourceLoader", module.__spec__.loader)
    return loader.get_data(f"{module.__path__[0]}/{name}").decode()


def package_tables(package: str, name: str) -> dict[str, str]:
    """Return the tables of a file by their headings, such as ``## rules``.

    What comes before the first heading is for its readers, but for names such as
    ``GUIDE = the guide``, for which ``{GUIDE}`` stands in the tables.
    """
    head, *tables = package_file(package, name).split("\n## ")
    for short, meaning in _NAME.findall(head):
        tables = [table.replace(f"{{{short}}}", meaning) for table in tables]
    return dict(table.split("\n", 1) for table in tables)
