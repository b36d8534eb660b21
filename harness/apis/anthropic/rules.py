"""What a legal Messages stream obeys, each rule with its source."""

from __future__ import annotations

from harness.apis.tables import read_rules

RULES = read_rules("anthropic")
"""Every rule by its name without the API, in the order of a help text."""
