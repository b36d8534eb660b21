"""pytest-recording and pytest-vcr: where they keep a test's cassette, and their marker.

Owns what is known of the two plugins that people come from. Their cassettes are played
where they lie, so that a project changes a marker and no file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.pytest_plugin.cases import plain_name

_NOT_IN_NAMES = "<>?%*:|\"'/\\"  # pytest-recording 0.14 writes `-` for these


def paths_of_others(item: Any, folder: Path) -> list[str]:
    """Return where the two keep a test's cassette, the likelier first.

    Args:
        item: The test.
        folder: The folder of cassettes.
    """
    name = plain_name(item)
    if item.cls is not None:
        name = f"{item.cls.__name__}.{name}"
    safe = name
    for char in _NOT_IN_NAMES:
        safe = safe.replace(char, "-")
    inside = folder / Path(item.path).stem
    found = [inside / f"{safe}.yaml", inside / f"{name}.yaml", folder / f"{name}.yaml"]
    return list(dict.fromkeys(map(str, found)))


def recorded_by_others(item: Any, folder: Path) -> str | None:
    """Return the cassette of one of them that is there, or None."""
    if not hasattr(item, "cls"):
        return None
    found = (path for path in paths_of_others(item, folder) if Path(path).is_file())
    return next(found, None)


def marked_by_both(item: Any) -> str:
    """Return what is wrong with a test that two recorders want."""
    return (
        f"{item.nodeid}: is marked with `harness` and with `vcr` (or its module or "
        "class is), so that two recorders would record it; take @pytest.mark.vcr off: "
        "its cassette is played where it lies (`harness init --from-vcr` does so for a "
        "whole project)"
    )
