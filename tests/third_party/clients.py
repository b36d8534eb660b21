"""Which clients record and play, in process, in a marked test and through the proxy.

`python -m tests.third_party.clients` prints the table, with date and versions, for what
is installed; names of rows limit it. With `--in FOLDER` it installs every client of the
table there first, in as many environments as their versions need, and leaves nothing
out: some GB and an hour. What the steps are is in `client_steps.py`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.third_party.client_steps import CHANNELS, STEPS, results
from tests.third_party.framework_rows import ROWS

ROOT = Path(__file__).resolve().parents[2]
GOOD = dict(zip(STEPS, ("recorded", "played", "refused"), strict=True))

ENVIRONMENTS = {
    "newest": "openai httpx-aiohttp aiohttp anthropic google-genai boto3 requests",
    "openai-2": "openai<3 httpx-aiohttp aiohttp openai-agents pydantic-ai-slim[openai] "
    "langchain-openai langgraph litellm instructor dspy smolagents[openai] "
    "llama-index-llms-openai",
    "strands": "strands-agents[openai]",
    "autogen": "autogen-agentchat autogen-ext[openai]",
    "agent-framework": "agent-framework-core agent-framework-openai",
    "crewai": "crewai",
}
"""What is installed together; each with this package, and pytest."""


def versions_of(name: str) -> dict[str, str | None]:
    """Return the versions of a row's packages; None for what is not installed."""
    found: dict[str, str | None] = {}
    for package in ROWS[name].packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def run_apart(name: str, python: str = sys.executable) -> dict[str, str]:
    """Run a row in a process of its own; return what each channel and step gave."""
    done = _run(python, "--row", name)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            found: dict[str, str] = json.loads(line.removeprefix("RESULT "))
            return found
    return {"use_cassette record": f"died: {done.stderr[-300:]}"}


def _run(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "tests.third_party.clients", *arguments],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "CI"},
        capture_output=True,
        text=True,
        check=False,
    )


def _make(folder: Path) -> list[str]:
    """Install what is missing; return each environment's Python."""
    pythons = []
    for name, packages in ENVIRONMENTS.items():
        python = str((folder / name / "bin" / "python").absolute())
        pythons.append(python)
        if not Path(python).exists():
            subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
            wanted = [*packages.split(), "pytest>=8.4", f"{ROOT}[record]"]
            install = [python, "-m", "pip", "install", "--quiet", *wanted]
            subprocess.run(install, check=True)
    return pythons


def main(arguments: list[str]) -> int:
    """Print the table; return 1 if a cell of it is not good."""
    parser = argparse.ArgumentParser(prog="python -m tests.third_party.clients")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--in", dest="folder", type=Path)
    parser.add_argument("--row", choices=ROWS)
    parser.add_argument("--versions", action="store_true")
    given = parser.parse_args(arguments)
    if given.row:
        print("RESULT", json.dumps(results(given.row)))
        return 0
    if given.versions:
        print(json.dumps({name: versions_of(name) for name in ROWS}))
        return 0
    pythons = [sys.executable] if given.folder is None else _make(given.folder)
    installed = [
        (python, json.loads(_run(python, "--versions").stdout)) for python in pythons
    ]
    where = f"Python {platform.python_version()}, {platform.system()}"
    print(f"{datetime.datetime.now(datetime.UTC).date()}, {where}.\n")
    print(f"| client | versions | {' | '.join(CHANNELS)} |")
    print("|---|---|---|---|---|", flush=True)
    bad: list[str] = []
    for name in given.rows or ROWS:
        tried = set()
        for python, versions in installed:
            shown = ", ".join(f"{p} {v}" for p, v in versions[name].items())
            if None not in versions[name].values() and shown not in tried:
                tried.add(shown)
                cells, notes = _cells(name, run_apart(name, python))
                bad += notes
                print(f"| {name} | {shown} | {' | '.join(cells)} |", flush=True)
        if not tried:
            print(f"| {name} | not installed |  |  |  |")
    print("\n".join(["", *bad]))
    return bool(bad)


def _cells(name: str, found: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return a row's cells, and what is not good."""
    cells, notes = [], []
    for channel in CHANNELS:
        gave = {step: found.get(f"{channel} {step}", "missing") for step in STEPS}
        first = next((x for x in gave.values() if x != "ok"), "ok")
        if first == "guarded":  # what comes after it cannot be reached
            done = [GOOD[step] for step in STEPS if gave[step] == "ok"]
            cells.append(", ".join([*done, "refused by the guard"]))
            continue
        bad = {step: text for step, text in gave.items() if text != "ok"}
        good = ", ".join(GOOD[step] for step in STEPS if step not in bad)
        cells.append(good + "".join(f" NOT {step}" for step in bad))
        notes += [f"{name}, {channel}, {step}: {x}" for step, x in bad.items()]
    return cells, notes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
