"""What the plugin declares: its marker, its options, and hooks to override it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["pytest_harness_cassette_dir", "pytest_harness_settings"]


MARKER = (
    "harness(*cassettes, record=None, splits=None, apis=None, dialects=None, "
    "faults=None, seed=None, speed=None, unplayed=None, orphans=None, max_age=None, "
    "block_network=None, cassette_dir=None, allow=None, match_on=None, "
    "ignore_json=None, ignore_hosts=None, ignore_localhost=None, "
    "ignore_telemetry=None): play cassettes (names, globs, lists; the test's own by "
    "default) to the test's client and fixtures, each split, API, dialect and fault "
    "with its own test id. See https://docs.pytest.org for markers and `harness "
    "docs settings` for all settings."
)
"""The line of `pytest --markers`."""

OPTIONS = {
    "record": (
        "MODE",
        "none",
        "What to record: none, once, new_episodes, all or rewrite; or verify it.",
    ),
    "cassette_dir": (
        "DIR",
        "cassettes",
        "Folder of cassettes, beside the test file if relative.",
    ),
    "splits": (
        "NAMES",
        "as recorded",
        "How streams are cut: a profile (quick, thorough) or splits, each a test id.",
    ),
    "apis": (
        "NAMES",
        "as recorded",
        "In which API streams arrive; dialects and faults are then of that API.",
    ),
    "dialects": ("NAMES", "as recorded", "Whose habits streams have, each a test id."),
    "faults": ("NAMES", "none", "How streams go wrong, each a test id."),
    "seed": ("N", "0", "Decides everything that is random."),
    "unplayed": (
        "WHAT",
        "fail",
        "What to do where a recorded exchange was not played: fail or ignore.",
    ),
    "orphans": (
        "WHAT",
        "ignore",
        "What to do about cassettes that no test uses: fail or ignore.",
    ),
    "speed": ("X", "0", "0 plays at once, 1 as recorded, 2 twice as fast."),
    "max_age": (
        "AGE",
        "0",
        "How old recordings may be, by their Date header: 90d, 12w, 6m; 0 for any age.",
    ),
    "block_network": (
        "WHAT",
        "remote",
        "What tests may not reach: all, remote (but this machine), or none.",
    ),
    "allow": (
        "HOSTS",
        "none",
        "Hosts that clients may reach which are not intercepted: db.example.com:5432.",
    ),
    "match_on": (
        "NAMES",
        "method path json_body",
        "Which request is the same: vcrpy's matchers, or vcrpy for those it uses.",
    ),
    "ignore_json": (
        "PATHS",
        "none",
        "Fields of a JSON body that do not count there: $.user $.messages[*].id.",
    ),
    "ignore_hosts": (
        "HOSTS",
        "none",
        "Hosts whose requests are sent, and neither played nor recorded.",
    ),
    "ignore_localhost": ("BOOL", "false", "The same of this machine: true or false."),
    "ignore_telemetry": (
        "BOOL",
        "true",
        "Whether known telemetry is answered here, and neither sent nor recorded.",
    ),
}
"""Of each setting the value's name, the default and what it is; `settings` knows more.

`--harness-NAME`, the ini key `harness_NAME` and the table of the docs are made from it.
"""


@pytest.hookspec(firstresult=True)
def pytest_harness_cassette_dir(
    config: pytest.Config, test_file: Path
) -> Path | str | None:
    """Return the folder of a test file's cassettes.

    Args:
        config: pytest's configuration.
        test_file: The absolute path of the test file.

    Returns:
        The folder, relative ones to the test file's; None leaves it to the others.
    """


@pytest.hookspec(firstresult=True)
def pytest_harness_settings(
    config: pytest.Config, test_file: Path
) -> dict[str, Any] | None:
    """Return settings of a test file's marked tests, while they are collected.

    Args:
        config: pytest's configuration.
        test_file: The absolute path of the test file.

    Returns:
        Names and values as the marker takes them; they go before ini keys, and after
        the fixture `harness_config`, the marker and the command line.
    """
