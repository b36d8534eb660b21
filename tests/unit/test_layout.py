"""What the layout promises: who names a wire key, and names found in one guess."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "harness"

WIRE_KEYS = frozenset(
    {"choices", "tool_calls", "delta", "finish_reason", "function_call"}
    | {"reasoning_content", "output_index", "content_index", "content_block"}
    | {"candidates", "functionCall", "partialArgs", "message_start", "tool_use"}
    | {"content_block_delta", "chat.completion.chunk", "prompt_tokens", "tool_result"}
    | {"completion_tokens", "stop_reason", "finishReason", "usageMetadata"}
    | {"function_call_output", "tool_call_id"}
)
FREE = ("apis/", "agents/letta/", "cassettes/importers/")
"""Where wire keys belong."""

EXCEPTIONS = {
    "cassettes/other_streams.py": "`function_call` is Letta's message, which is named",
    "debug/": "views of chat streams: keys of chunks that are drawn or compared",
    "engine/emission_runs.py": "Letta's messages and its chat-completion mode",
    "engine/stream.py": "the word in a message",
    "engine/emission.py": "Letta's messages and its chat-completion mode",
    "fuzz/": "stock streams and reductions of chat chunks",
    "record/scenario_reading.py": "scenarios are written as chat messages",
    "record/scenario_run.py": "scenarios are written as chat messages",
    "serve/answering.py": "whole chat completions made into a stream, and back",
    "strategies/": "made chat streams",
}
"""The rest, each with its reason; a test fails on a file that is not listed."""

LONG = {
    "agents/letta/streaming.py": 365,
    "cassettes/interactions.py": 410,
    "core/json_arguments.py": 510,
    "core/json_texts.py": 380,
    "engine/agent.py": 490,
    "engine/stream.py": 470,
    "fuzz/judge.py": 430,
    "record/session.py": 390,
}
"""Files of more than 350 lines may not grow; each is one class or one machine, whose
parts would have to know each other's insides."""


def wire_keys(source: str) -> Iterator[str]:
    """Yield the wire keys that a module names as text, docstrings left out."""
    if not any(key in source for key in WIRE_KEYS):
        return  # most modules; parsing them all takes seconds
    tree = ast.parse(source)
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docs:
            continue
        if isinstance(node.value, str) and node.value in WIRE_KEYS:
            yield node.value


def modules() -> list[Path]:
    """Return every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a module's path in the package."""
    return path.relative_to(PACKAGE).as_posix()


def test_only_apis_name_wire_keys() -> None:
    """Whoever needs a key of an API asks the API; the exceptions have reasons."""
    found = {
        name_of(path): sorted(set(wire_keys(path.read_text("utf-8"))))
        for path in modules()
        if not name_of(path).startswith(FREE)
    }
    unexpected = {
        name: keys
        for name, keys in found.items()
        if keys and not name.startswith(tuple(EXCEPTIONS))
    }
    assert unexpected == {}
    for listed in EXCEPTIONS:
        assert any(keys for name, keys in found.items() if name.startswith(listed))


def test_a_planted_wire_key_is_found() -> None:
    """As text anywhere in code, not in a docstring."""
    assert list(wire_keys('"""Of `tool_calls`."""\nx = message["tool_calls"]')) == [
        "tool_calls"
    ]
    assert list(wire_keys('"""tool_calls"""\nx = "calls"')) == []


def test_no_file_is_longer_than_a_sitting() -> None:
    """At most 350 lines; those that are longer do not grow."""
    sizes = {
        name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules()
    }
    long = {name: n for name, n in sizes.items() if n > LONG.get(name, 350)}
    assert long == {}
    assert [name for name in LONG if sizes.get(name, 0) <= 350] == []


def test_a_file_name_stands_for_one_thing() -> None:
    """Outside the APIs and the commands, which are alike inside on purpose."""
    names = Counter(
        path.name
        for path in modules()
        if path.name != "__init__.py"
        and not name_of(path).startswith(("apis/", "cli/", "cassettes/importers/"))
    )
    assert {name for name, count in names.items() if count > 1} == set()


OPAQUE = frozenset(
    {"saying", "told", "marks", "units", "recut", "made", "arrivals", "judging"}
    | {"running", "writing", "said", "telling"}
)
"""Names from which nobody guesses what a module is about."""


def test_a_file_name_is_a_term_of_the_field() -> None:
    """Outside the APIs and the commands, whose files are named by what they are of."""
    found = {
        name_of(path)
        for path in modules()
        if OPAQUE & set(path.stem.split("_"))
        and not name_of(path).startswith(("apis/", "cli/"))
    }
    assert found == set()


_CITED = re.compile(r"`(harness(?:\.\w+)+)`")


def test_what_a_docstring_cites_is_there() -> None:
    """Every back-ticked `harness.x.y` is a module or something in one."""
    missing = []
    for path in modules():
        for cited in _CITED.findall(path.read_text("utf-8")):
            try:
                pkgutil.resolve_name(cited)
            except (ImportError, AttributeError):
                missing.append(f"{name_of(path)} cites `{cited}`")
    assert missing == []
