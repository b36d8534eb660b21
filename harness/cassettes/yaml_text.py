"""YAML in, Python objects out, with errors that name line and column.

Owns the loader: libyaml's safe one, with the few Python tags that vcrpy writes.
Nothing here knows what a cassette is.
"""

from __future__ import annotations

import functools
import io
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.cassettes.large_values import take_out
from harness.errors import CassetteCorruptError, shorten

if TYPE_CHECKING:
    from _typeshed import SupportsRead


class SlowYamlWarning(UserWarning):
    """PyYAML was installed without libyaml, so that cassettes load 60 times slower."""


def load_yaml(source: bytes | SupportsRead[bytes], path: str) -> Any:
    """Load one YAML document.

    Args:
        source: The text; a stream is read in pieces and never held as a whole, and
            takes twice as long.
        path: The name for errors.

    Returns:
        Whatever the document holds.

    Raises:
        CassetteCorruptError: It is no YAML, or has tags a cassette never has.

    Source: the tags are those vcrpy 9.4 reads (`vcr/serializers/yamlserializer.py`).
    """
    import yaml

    if isinstance(source, bytes):
        short, taken = take_out(source)
        if taken:
            with suppress(Exception):  # whatever it is, it is named as all of it has it
                return _load(io.BytesIO(short), taken)
        source = io.BytesIO(source)
    try:
        return _load(source, {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CassetteCorruptError(
            path, _advice(error.problem or error.context or "no YAML"), place=place
        ) from None
    except yaml.reader.ReaderError as error:
        raise CassetteCorruptError(
            path, _advice(error.reason), place=f"byte {error.position}"
        ) from None
    except yaml.YAMLError as error:
        raise CassetteCorruptError(path, _advice(str(error))) from None
    except _TwiceError as error:
        key, mark = error.args
        raise CassetteCorruptError(
            path,
            stands_twice(key),
            place=f"line {mark.line + 1}, column {mark.column + 1}",
        ) from None
    except (RecursionError, _TooDeepError):
        raise CassetteCorruptError(path, _advice("it is nested too deeply")) from None
    except _CONSTRUCTING as error:
        raise CassetteCorruptError(
            path, _advice(f"a value does not fit its tag ({error})")
        ) from None


def _load(stream: SupportsRead[bytes], taken: dict[str, Any]) -> Any:
    """Load a document, of which some values may have been taken out.

    Raises:
        LookupError: What was taken out was no whole value of the document.
    """
    loader = _loader()(_Shallow(stream))
    loader.taken = taken
    try:
        if not taken:
            return loader.get_single_data()
        document = _plain(loader, loader.get_single_node(), {})
    finally:
        loader.dispose()
    if taken:
        raise LookupError(*taken)
    return document


def stands_twice(key: str) -> str:
    """Return what is wrong with a mapping that has a key with two values."""
    return (
        f"the key {shorten(key)} stands twice in one mapping, so that one of the "
        "two would be lost; take out the one that is wrong, or record it again"
    )


class _TwiceError(Exception):
    """A key stands twice in a mapping: the last would count, the first be lost."""


class _TooDeepError(Exception):
    """The text opens thousands of lists or mappings within each other."""


class _Shallow:
    """Text on its way to libyaml's loader, which overruns the stack on deep nesting.

    PyYAML's C code calls itself for each level and crashes the process at some 25 000
    (PyYAML 6.0.3, 8 MiB of stack). Text so deep is nothing but openings over several
    pieces: a look at the middle of each shows it, at no cost that could be measured.
    """

    def __init__(self, stream: SupportsRead[bytes]) -> None:
        self._stream = stream
        self._depth = 0

    def read(self, size: int = -1, /) -> bytes:
        piece = self._stream.read(size)
        middle = len(piece) // 2
        if middle and _openings(piece[middle : middle + 256]) > _SUSPICIOUS:
            self._depth += _openings(piece)
            if self._depth > _DEEPEST:
                raise _TooDeepError
        return piece


def _openings(text: bytes) -> int:
    """Return how many more levels are opened than closed, as far as can be seen."""
    opened = text.count(b"[") + text.count(b"{")
    closed = text.count(b"]") + text.count(b"}")
    return max(
        opened - closed, 4 * text.count(b"- - - - "), 4 * text.count(b"? ? ? ? ")
    )


_SUSPICIOUS = (
    20  # in 256 bytes; a long list of bodies cut at random leaves two or three
)
_DEEPEST = 2000  # real documents have some 10 levels


# What PyYAML's constructors let out for values such as `!!int x` or `!!timestamp x`.
_CONSTRUCTING = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def _advice(problem: str) -> str:
    text = " ".join(problem.split())
    return f"the YAML does not parse: {text}; repair it or record it again"


@functools.cache
def _loader() -> type[Any]:
    import yaml

    base: type[Any] = getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader
    if base is yaml.SafeLoader:
        warnings.warn(
            "PyYAML is installed without libyaml: cassettes load 60 times slower; "
            "install a PyYAML wheel, or libyaml before building it",
            SlowYamlWarning,
            stacklevel=4,
        )

    class Loader(base):  # type: ignore[misc]  # which base depends on the machine
        # A cassette is mappings, lists and text. What PyYAML does for any other took
        # half of the time of a short one, and is done where there is any other.
        descend_resolver = staticmethod(lambda _node, _index: None)
        ascend_resolver = staticmethod(lambda: None)

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is not yaml.ScalarNode:
                return _MAPPING if kind is yaml.MappingNode else _SEQUENCE
            if implicit[0] and value[:1] in self.yaml_implicit_resolvers:
                return super().resolve(kind, value, implicit)
            return _TEXT

        def construct_document(self, node: Any) -> Any:
            try:
                return _plain(self, node, {})
            except (*_CONSTRUCTING, RecursionError, yaml.YAMLError):
                return super().construct_document(node)

        def get_single_node(self) -> Any:
            """Read cassettes that were put into one file, one behind the other."""
            node = None
            while self.check_node():
                other = self.get_node()
                if node is not None and not (
                    _is_cassette(node) and _is_cassette(other)
                ):
                    problem = "but found another document"
                    raise yaml.composer.ComposerError(
                        None, None, problem, other.start_mark
                    )
                if node is None:
                    node = other
                else:
                    node.value += other.value
            if _is_cassette(node):
                _join(node)
            return node

    Loader.add_constructor("!binary", base.construct_yaml_binary)  # as Ruby writes it
    prefix = "tag:yaml.org,2002:python/"
    Loader.add_constructor(f"{prefix}str", _text)
    Loader.add_constructor(f"{prefix}unicode", _text)
    Loader.add_constructor(f"{prefix}tuple", _tuple)
    Loader.add_constructor(f"{prefix}object/new:_io.BytesIO", _bytes_io)
    Loader.add_constructor(f"{prefix}object/apply:builtins.iter", _iterator)
    return Loader


_TEXT, _MAPPING, _SEQUENCE = (f"tag:yaml.org,2002:{k}" for k in ("str", "map", "seq"))


def _plain(loader: Any, node: Any, made: dict[Any, Any]) -> Any:
    """Return what a node stands for; raises where it needs all of PyYAML.

    Args:
        loader: Makes numbers, dates and the like.
        node: The node.
        made: What was made so far, for aliases.
    """
    tag, kind = node.tag, node.id
    if tag == _TEXT and kind == "scalar":
        return loader.taken.pop(node.value, node.value)
    known = made.get(node)
    if known is None:
        if tag == _MAPPING and kind == "mapping":
            made[node] = known = {}
            for key, value in node.value:
                if key.tag != _TEXT or key.id != "scalar":
                    raise LookupError(key.tag)
                new = _plain(loader, value, made)
                if known.setdefault(key.value, new) is not new and (
                    known[key.value] != new
                ):
                    raise _TwiceError(key.value, key.start_mark)
        elif tag == _SEQUENCE and kind == "sequence":
            made[node] = known = []
            for one in node.value:
                known.append(_plain(loader, one, made))
        elif kind == "scalar":
            made[node] = known = loader.yaml_constructors[tag](loader, node)
        else:
            raise LookupError(tag)
    return known


def _is_cassette(node: Any) -> bool:
    return node.__class__.__name__ == "MappingNode" and any(
        key.value == "interactions" for key, _ in node.value
    )


def _join(node: Any) -> None:
    """Make one list of lists that stand under the same key: the last would count."""
    first, pairs = None, []
    for key, value in node.value:
        if key.value == "interactions" and value.__class__.__name__ == "SequenceNode":
            if first is not None:
                first.value += value.value
                continue
            first = value
        pairs.append((key, value))
    node.value = pairs


def _text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _tuple(loader: Any, node: Any) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))


def _bytes_io(loader: Any, node: Any) -> io.BytesIO:
    state = loader.construct_mapping(node, deep=True).get("state") or (b"",)
    content = state[0]
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


def _iterator(loader: Any, node: Any) -> list[Any]:
    arguments: Any = loader.construct_mapping(node, deep=True).get("args") or ([],)
    return list(arguments[0])
