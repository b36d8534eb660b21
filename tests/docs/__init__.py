"""The README and the pages of `docs/pages`: their generated parts, and their tests."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DOCUMENTS", "PAGES", "README", "ROOT"]

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
PAGES = ROOT / "docs" / "pages"
DOCUMENTS = (README, *sorted(PAGES.rglob("*.md")))
"""Every page that people read, the README first."""
