"""The hooks that a conftest.py may implement to override the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["pytest_harness_cassette_dir", "pytest_harness_settings"]


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
