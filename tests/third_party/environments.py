"""Folders with pinned releases of other people's packages, made where they are missing.

`pip install --target`, so that each is found before what this environment has, and
nothing of this environment is changed. Below `HARNESS_THIRD_PARTY`, else the user's
cache; a folder that is there is taken as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["FRAMEWORKS", "NODE", "SDKS", "around", "folder_of"]
__all__ += ["node_folder_of", "third_party"]

ROOT = Path(__file__).parents[2]
_LIMIT_S = 900

SDKS = (
    *("openai==3.57.0", "openai-agents==0.24.0", "anthropic==2.14.0"),
    "google-genai==3.6.1",
)
FRAMEWORKS = (
    *("langchain-openai==1.7.4", "langchain-anthropic==1.7.10"),
    *("langchain-google-genai==4.4.2", "litellm==1.110.2"),
    "pydantic-ai-slim[openai,anthropic,google]==2.68.0",
)
NODE = (
    *("ai@6.0.326", "@ai-sdk/openai@3.0.141", "@ai-sdk/openai-compatible@2.0.92"),
    *("@ai-sdk/anthropic@3.0.140", "@ai-sdk/google@3.0.141"),
)


def third_party() -> Path:
    """Return the folder of all that is installed."""
    given = os.environ.get("HARNESS_THIRD_PARTY")
    return Path(given) if given else Path.home() / ".cache" / "harness-third-party"


def _made(packages: tuple[str, ...], kind: str, command: list[str]) -> Path:
    name = hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:12]
    folder = third_party() / f"{kind}-{name}"
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    print(f"installing {' '.join(packages)}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [*command, *packages],
        cwd=partial,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_S,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(packages)}: {done.stderr[-600:]}")
    return partial.rename(folder)


def folder_of(*packages: str) -> Path:
    """Return the folder of some Python packages, pinned as pip takes them."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target"]
    return _made(packages, "python", [*pip, "."])


def node_folder_of(*packages: str) -> Path:
    """Return the folder of some packages of npm."""
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    return _made(packages, "node", npm)


def around(folder: Path, *more: Path) -> dict[str, str]:
    """Return the environment in which a Python finds a folder's packages first."""
    paths = os.pathsep.join(str(path) for path in (folder, *more))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": paths}
