"""`python -m tests.docs`: write the generated parts of the README and the pages.

The pictures of terminals are drawn where what they show has changed. With `--pictures`
those of the report are, too; they need a Chromium.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.docs import DOCUMENTS, ROOT
from tests.docs.blocks import with_outputs
from tests.docs.pictures import draw_pages, draw_terminals
from tests.docs.tables import with_tables


def main() -> None:
    """Write what is not current; name what was written."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs", description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="draw the reports, too")
    asked = parser.parse_args()
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder:
            current = with_outputs(document, with_tables(text), Path(folder))
        if current != text:
            document.write_text(current, "utf-8")
            print(f"wrote {document.relative_to(ROOT)}")
    draw_terminals()
    if asked.pictures:
        draw_pages()


if __name__ == "__main__":
    main()
