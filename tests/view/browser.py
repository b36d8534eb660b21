"""Pages loaded in a real browser, a script run in them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Test = TypeVar("_Test", bound="Callable[..., None]")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    "",
)
needs_browser = pytest.mark.skipif(not BROWSER, reason="needs a chromium")


def in_browser(test: _Test) -> _Test:
    """Mark a test that loads a page: the start of a browser takes seconds."""
    marked: _Test = pytest.mark.slow(needs_browser(test))
    return marked


# Runs after the page's own script. What went wrong before it is in `errors`, which is
# filled by listeners that are put in front of everything.
_LISTEN = (
    "<script>errors=[];addEventListener('error',e=>errors.push(e.message),true);"
    "addEventListener('unhandledrejection',e=>errors.push(String(e.reason)));"
    "for(const n of ['error','warn'])console[n]=(...a)=>errors.push(a.join(' '));"
    "</script>"
)
_TELL = (
    "<script>%s;told=%s;document.body.innerHTML='';"
    "document.body.dataset.told=told</script>"
)


def hash_of(element: str) -> str:
    """Return what allows a script in a content-security policy."""
    text = element.removeprefix("<script>").removesuffix("</script>")
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_TELL_LATER = (
    "<script>%s;%s.then(v=>JSON.stringify([errors,v]),e=>JSON.stringify([[String(e)],0]))"
    ".then(t=>{document.body.innerHTML='';document.body.dataset.told=t})</script>"
)


def told_by(
    page: str,
    tmp_path: Path,
    script: str,
    wanted: str,
    *,
    is_dark: bool = False,
    later: str = "",
) -> object:
    """Load a page in a browser, run a script in it, and return what it finds.

    Args:
        page: The page.
        tmp_path: Where the browser may write.
        script: Runs after the page's own.
        wanted: An expression for what to return.
        is_dark: Whether the browser prefers dark colours.
        later: An expression for a promise of what to return, instead of `wanted`.
    """
    if later:
        told = _TELL_LATER % (script, later)
    else:
        told = _TELL % (script, f"JSON.stringify([errors,{wanted}])")
    page = page.replace("script-src ", f"script-src {hash_of(told)} ", 1)
    page = page.replace("<head>", f"<head>{_LISTEN}").replace(
        "</body>", f"{told}</body>"
    )
    return shown_by_browser(page, tmp_path, is_dark=is_dark)


def shown_by_browser(page: str, tmp_path: Path, *, is_dark: bool = False) -> object:
    """Load a page and return what its body tells; nothing may have gone wrong."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    result = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--hide-scrollbars", "--window-size=1200,900"),
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={int(not is_dark)}",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'data-told="([^"]*)"', result.stdout)
    assert found is not None, result.stdout[-2000:]
    errors, value = json.loads(html.unescape(found[1]))
    assert errors == []
    return value
