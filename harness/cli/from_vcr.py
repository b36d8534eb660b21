"""From pytest-recording or pytest-vcr to the marker `harness`, in the project's text.

Owns what is rewritten and what is left to its owner. Cassettes are not touched: the
plugin plays them where they lie (`harness.pytest_plugin.other_plugins`). Only what
means exactly the same afterwards is rewritten; everything else is reported with its
line and a reason.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_KEYS = {
    "record_mode": "record",
    "match_on": "match_on",
    "ignore_hosts": "ignore_hosts",
    "ignore_localhost": "ignore_localhost",
    "before_record_request": "before_record_request",
}
_FIXTURE_ONLY = frozenset({"before_record_request"})
_DECODED = "decode_compressed_response"  # which is always done here
_HINTS = {
    "filter_headers": "give harness_config a `redaction` that removes these names",
    "filter_query_parameters": "give harness_config a `redaction` that removes these",
    "filter_post_data_parameters": "give harness_config a `redaction` with a hook",
    "before_record_response": "give harness_config a `redaction` with a hook",
    "allow_playback_repeats": "only harness.use_cassette has it",
    "cassette_library_dir": "use cassette_dir",
    "path_transformer": "override the fixture harness_cassette_name",
    "serializer": "cassettes are read as they are; parsed_body too",
}
_SESSION = frozenset({"requests", "responses", "play_count", "all_played"})

CONFIGS = {
    "pytest.ini": b"[pytest]",
    ".pytest.ini": b"[pytest]",
    "pyproject.toml": b"[tool.pytest.ini_options]",
    "tox.ini": b"[pytest]",
    "setup.cfg": b"[tool:pytest]",
}
"""Where pytest's configuration may be, and the line that it begins with."""


@dataclass
class Rewriting:
    """A file's new text, and what was and was not done to it."""

    data: bytes
    changed: list[tuple[int, str]] = field(default_factory=list)
    """Line numbers and what was changed there."""
    left: list[tuple[int, str]] = field(default_factory=list)
    """Line numbers and what its owner must decide."""


class _Text:
    """The bytes of a Python file, by the positions of its syntax tree."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._starts = [0]
        for line in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._edits: list[tuple[int, int, bytes]] = []

    def place(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def span(self, node: Any) -> tuple[int, int]:
        return (
            self.place(node.lineno, node.col_offset),
            self.place(node.end_lineno, node.end_col_offset),
        )

    def source(self, node: Any) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def replace(self, start: int, end: int, text: str) -> None:
        self._edits.append((start, end, text.encode()))

    def result(self) -> bytes:
        data = self.data
        for start, end, text in sorted(set(self._edits), reverse=True):
            data = data[:start] + text + data[end:]
        return data


def rewrite_tests(data: bytes, name: str) -> Rewriting:
    """Rewrite a test file or a conftest.py.

    Args:
        data: The file.
        name: Its name, of which pytest-recording makes a folder.

    Returns:
        The new text; the old one where nothing is to be done, or the file does not
        parse, which is reported.
    """
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return Rewriting(data, left=[(line, f"does not parse ({error})")])
    return _Rewriter(tree, data, Path(name).stem).run()


class _Rewriter:
    def __init__(self, tree: ast.Module, data: bytes, stem: str) -> None:
        self._tree = tree
        self._text = _Text(data)
        self._stem = stem
        self._result = Rewriting(data)

    def run(self) -> Rewriting:
        calls = {
            id(node.func): node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call)
        }
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute) and _is_mark(node.value):
                self._marker(node, calls.get(id(node)))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name == "vcr_config":
                    self._config(node)
                self._parameter(node)
        self._result.data = self._text.result()
        self._result.changed.sort()
        self._result.left.sort()
        return self._result

    def _change(self, node: Any, text: str) -> None:
        self._result.changed.append((node.lineno, text))

    def _leave(self, node: Any, text: str) -> None:
        self._result.left.append((node.lineno, text))

    def _marker(self, node: ast.Attribute, call: ast.Call | None) -> None:
        end = self._text.span(node)[1]
        if node.attr == "vcr":
            keywords = [] if call is None else call.keywords
            reason = self._cannot(call)
            if reason:
                self._leave(node, f"@pytest.mark.vcr: {reason}")
                return
            self._text.replace(end - len("vcr"), end, "harness")
            for keyword in keywords:
                start = self._text.span(keyword)[0]
                old = str(keyword.arg)
                self._text.replace(start, start + len(old), _KEYS[old])
            self._change(node, "pytest.mark.vcr -> pytest.mark.harness")
        elif node.attr == "default_cassette":
            self._named(node, call, end)
        elif node.attr == "block_network":
            self._leave(
                node,
                "@pytest.mark.block_network: tests marked with harness block other "
                "machines by themselves; block_network='all' blocks this one too",
            )

    def _cannot(self, call: ast.Call | None) -> str:
        if call is None:
            return ""
        if call.args:
            return "names more cassettes; one of a test's own is played beside none"
        for keyword in call.keywords:
            name = str(keyword.arg)
            if name not in _KEYS or name in _FIXTURE_ONLY:
                hint = _HINTS.get(name, "has no counterpart in the marker")
                return f"{name}: {hint}"
        return ""

    def _named(self, node: ast.Attribute, call: ast.Call | None, end: int) -> None:
        argument = call.args[0] if call is not None and len(call.args) == 1 else None
        name = argument.value if isinstance(argument, ast.Constant) else None
        if argument is None or not isinstance(name, str):
            self._leave(node, "default_cassette: name it in the marker harness")
            return
        self._text.replace(end - len("default_cassette"), end, "harness")
        start, stop = self._text.span(argument)
        self._text.replace(start, stop, repr(f"{self._stem}/{name}").replace("'", '"'))
        self._change(node, "pytest.mark.default_cassette -> pytest.mark.harness")

    def _config(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        last = node.body[-1]
        value = last.value if isinstance(last, ast.Return) else None
        if not isinstance(value, ast.Dict):
            self._leave(node, "vcr_config: returns no plain dict; make harness_config")
            return
        kept: list[str] = []
        for key, one in zip(value.keys, value.values, strict=True):
            name = str(key.value) if isinstance(key, ast.Constant) else "**"
            if name in _KEYS:
                kept.append(f'"{_KEYS[name]}": {self._text.source(one)}')
            elif name != _DECODED and not _is_redacted(name, one):
                hint = _HINTS.get(name, "has no counterpart in harness_config")
                self._leave(node, f"vcr_config: {name}: {hint}")
                return
        start = self._text.place(node.lineno, node.col_offset)
        start = self._text.data.index(b"vcr_config", start)
        self._text.replace(start, start + len("vcr_config"), "harness_config")
        self._text.replace(*self._text.span(value), f"{{{', '.join(kept)}}}")
        self._change(node, f"vcr_config -> harness_config: {{{', '.join(kept)}}}")

    def _parameter(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = [arg for arg in node.args.args if arg.arg == "vcr"]
        if not arguments or not node.name.startswith("test"):
            return
        calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
        marks = [one for one in calls if getattr(one.func, "attr", "") == "vcr"]
        if any(map(self._cannot, marks)):
            return  # the fixture stays with its marker, which is left to the reader
        inner = list(ast.walk(node))
        used = {id(x.value): x.attr for x in inner if isinstance(x, ast.Attribute)}
        names = [one for one in inner if isinstance(one, ast.Name) and one.id == "vcr"]
        others = sorted({used.get(id(one), "itself") for one in names} - _SESSION)
        if others:
            self._leave(
                node,
                f"takes the fixture `vcr` and uses {', '.join(others)}; "
                f"harness_session has {', '.join(sorted(_SESSION))}",
            )
            return
        for one in [*arguments, *names]:
            start = self._text.span(one)[0]
            self._text.replace(start, start + len("vcr"), "harness_session")
        self._change(node, "fixture vcr -> harness_session")


def _is_mark(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "mark"
        and isinstance(node.value, ast.Name)
        and node.value.id == "pytest"
    ) or (isinstance(node, ast.Name) and node.id == "mark")


def _is_redacted(name: Any, value: ast.expr) -> bool:
    """Return whether everything that a filter names is removed here by itself."""
    from harness.redaction.secret_names import (
        Credential,
        credential_of,
        is_credential_header,
    )

    if name not in {"filter_headers", "filter_query_parameters"}:
        return False
    if not isinstance(value, ast.List | ast.Tuple):
        return False
    for one in value.elts:
        item = one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one
        text = item.value if isinstance(item, ast.Constant) else None
        if not isinstance(text, str):
            return False
        if name == "filter_headers" and not is_credential_header(text):
            return False
        if name != "filter_headers" and credential_of(text) is Credential.NO:
            return False
    return True


_OPTION = re.compile(rb"--(?:record-mode|vcr-record(?:-mode)?)=")
_ADDED = {"match_on": "vcrpy", "unplayed": "ignore"}


def rewrite_config(data: bytes, section: bytes) -> Rewriting:
    """Rewrite a file with pytest's configuration.

    Args:
        data: The file.
        section: The line that its part for pytest begins with.

    Returns:
        The new text: options renamed, and settings that keep vcrpy's ways added.
    """
    result = Rewriting(data)
    lines = data.splitlines(keepends=True)
    quote = '"' if section.startswith(b"[tool.") else ""
    written: list[bytes] = []
    for number, line in enumerate(lines, 1):
        new = _OPTION.sub(b"--harness-record=", line)
        if new != line:
            result.changed.append((number, "--record-mode -> --harness-record"))
        if b"--block-network" in line or b"--disable-recording" in line:
            result.left.append((number, "an option of pytest-recording; take it out"))
        written.append(new)
        if line.strip() == section:
            end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
            for name, value in _ADDED.items():
                if f"harness_{name}".encode() not in data:
                    text = f"harness_{name} = {quote}{value}{quote}"
                    written.append(text.encode() + end)
                    result.changed.append((number, f"added: {text}"))
    result.data = b"".join(written)
    return result
