"""The public names of Python with their signatures, as they are imported."""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib import import_module
from typing import Any

__all__ = ["docstrings", "names"]

_WIDTH = 80


def names(module: str) -> str:
    """Return one section a public name of a module: signature and summary."""
    loaded = import_module(module)
    parts = []
    for name in loaded.__all__:
        value = getattr(loaded, name)
        parts += [
            f"### {name}" if module == "harness" else f"### {module}.{name}",
            f"```py\n{_signature(name, value)}\n```",
            _summary(value),
        ]
    return "\n\n".join(part for part in parts if part)


def docstrings() -> str:
    """Return what mkdocstrings makes the page of docstrings of."""
    loaded = import_module("harness")
    values = (getattr(loaded, name) for name in loaded.__all__)
    return "\n\n".join(f"::: {one.__module__}.{one.__qualname__}" for one in values)


def _signature(name: str, value: Any) -> str:
    if inspect.isclass(value) and issubclass(value, BaseException):
        return f"class {name}({value.__bases__[0].__name__})"
    if not callable(value):
        return f"{name}: {type(value).__name__}"
    if inspect.isclass(value) and not _is_constructed(value):
        return f"class {name}"
    keyword = "class" if inspect.isclass(value) else "def"
    signature = inspect.signature(value)
    arguments = [_argument(part) for part in str(signature).partition("->")[:1]]
    whole = f"{keyword} {name}{arguments[0]}"
    if keyword == "def" and signature.return_annotation is not signature.empty:
        returned = inspect.formatannotation(signature.return_annotation)
        whole += f" -> {_argument(returned)}"
    return whole if len(whole) <= _WIDTH else _wrapped(whole)


def _is_constructed(value: type) -> bool:
    """Return whether users call the class: no enumeration, no protocol."""
    return "__members__" not in dir(value) and not getattr(value, "_is_protocol", False)


def _argument(text: str) -> str:
    """Return annotations as they are written in the source."""
    text = re.sub(r"ForwardRef\('([^']*)'\)", r"\1", text)
    annotated = r"(?:typing\.)?Annotated\[([\w.]+), .*?at 0x[0-9a-f]+>\)\]"
    text = re.sub(annotated, r"\1", text)
    text = re.sub(r"(?:harness|pydantic|datetime|typing)\.(?:\w+\.)*", "", text)
    text = re.sub(r"(: |-> )'([^']*)'(?=[,)= ]|$)", r"\1\2", text)
    return text.strip().strip("'")


def _wrapped(signature: str) -> str:
    """Return a signature with one argument a line."""
    opening, closing = signature.index("("), signature.rindex(")")
    inside, depth, start, arguments = signature[opening + 1 : closing], 0, 0, []
    for at, char in enumerate(inside):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            arguments.append(inside[start:at].strip())
            start = at + 1
    arguments.append(inside[start:].strip())
    lines = textwrap.indent(",\n".join(arguments), "    ")
    return f"{signature[: opening + 1]}\n{lines},\n{signature[closing:]}"


def _summary(value: object) -> str:
    text = (inspect.getdoc(value) or "") if callable(value) else ""
    return re.sub(r"\s*\n\s*", " ", text.partition("\n\n")[0]).replace("``", "`")
