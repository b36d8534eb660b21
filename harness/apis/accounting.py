"""Accounting for every leaf of an event: carried by a part, known, or unread.

Each API has a table of its fields (`known_fields`), one line a path:

    delta.text          str   text of the answer
    usage.**            any   token counts

`.` goes into an object, `[]` into the items of a list, `*` stands for any one key and
`**` for everything below. The type is `str`, `num`, `bool`, `any`, or several joined by
`|`; null is allowed everywhere, and so are empty texts, lists and objects. What no line
covers, or what has another type, is unread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Node:
    """One place of a table."""

    __slots__ = ("_seen", "children", "is_any", "meaning", "types")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.types: frozenset[type] = frozenset()
        self.is_any = False
        self.meaning = ""
        self._seen: dict[tuple[Any, ...], list[tuple[str, _Node | None]]] = {}

    def visits(self, value: dict[str, Any]) -> list[tuple[str, _Node | None]]:
        """Return which of an object's keys must be looked at.

        Cached by the keys and the types of their values: of an object like one that
        was seen before, only containers are looked at again.
        """
        shape = (*value, *map(type, value.values()))
        known = self._seen.get(shape)
        if known is None:
            children, star = self.children, self.children.get("*")
            known = []
            for key, inner in value.items():
                child = children.get(key, star)
                if child is not None and (child.is_any or type(inner) in child.types):
                    continue
                if inner is not None:
                    known.append((key, child))
            if len(self._seen) < _MOST_KEY_SETS:  # hostile keys must not fill memory
                self._seen[shape] = known
        return known

    def may_be(self, kind: type) -> bool:
        """Return whether a container of this type is expected; true of no container."""
        if kind is list:
            return "[]" in self.children
        return kind is not dict or bool(self.children.keys() - {"[]"})

    def covers(self, value: dict[str, Any]) -> bool:
        """Return whether every leaf of an object is known; no deeper than the table."""
        shape = (*value, *map(type, value.values()))
        visits = self._seen.get(shape)
        if visits is None:
            visits = self.visits(value)
        for key, child in visits:
            inner = value[key]
            if child is None:
                return False
            if type(inner) is dict:
                if not child.covers(inner):
                    return False
            elif type(inner) is list:
                if not child.covers_items(inner):
                    return False
            elif inner != "":
                return False
        return True

    def covers_items(self, items: list[Any]) -> bool:
        """Return whether every leaf of a list is known."""
        node = self.children.get("[]")
        if node is None:
            return not items
        return all(map(node.allows, items))

    def allows(self, item: Any) -> bool:
        """Return whether a value may stand here, with every leaf of an object."""
        if type(item) is dict:
            return self.covers(item)
        if self.is_any or item is None or item == "":
            return True
        return type(item) in self.types  # a list in a list is looked at in full


_MOST_KEY_SETS = 1000
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "num": (int, float),
    "bool": (bool,),
}


class FieldTable:
    """The fields of one API; made by `parse_fields`."""

    def __init__(self, root: _Node, answer: tuple[str, ...]) -> None:
        self._root = root
        self._answer = answer
        self.covers = root.covers
        """Whether every leaf of an event is covered; the usual, quick answer."""

    def unread(self, payload: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """Yield the leaves that nothing covers.

        Args:
            payload: The event's object.

        Yields:
            The path of what is not known, the path of a leaf in it (both as the table
            writes them, `delta.parts[].text`) and the leaf. Cheap where all is known:
            one look-up an object.
        """
        # A stack, for an event can be nested at will.
        waiting: list[tuple[str, str, Any, _Node | None]] = [
            ("", "", payload, self._root)
        ]
        while waiting:
            root, path, value, node = waiting.pop()
            kind = type(value)
            if not root and (node is None or not node.may_be(kind)):
                root = path
            if kind is dict:
                visits = (
                    [(key, None) for key in value]
                    if node is None
                    else node.visits(value)
                )
                waiting += [
                    (root, _under(path, key), value[key], child)
                    for key, child in reversed(visits)
                ]
            elif kind is list:
                inner_node = None if node is None else node.children.get("[]")
                if inner_node is None or not inner_node.is_any:
                    waiting += [
                        (root, f"{path}[]", item, inner_node)
                        for item in reversed(value)
                    ]
            elif (
                value is not None
                and value != ""
                and (node is None or kind not in node.types)
            ):
                yield root or path, path, value

    def kind(self, path: str, value: object) -> DiagnosticKind:
        """Return how an unread leaf is reported."""
        is_lost = isinstance(value, str) and path.startswith(self._answer)
        if is_lost or self.meaning(path):
            return DiagnosticKind.UNREAD_TEXT
        return DiagnosticKind.UNREAD

    def meaning(self, path: str) -> str:
        """Return what the field of a path is, as the table has it; empty if unknown."""
        node: _Node | None = self._root
        for step in path.replace("[]", ".[]").split("."):
            if node is None:
                return ""
            if node.is_any:
                break
            node = node.children.get(step, node.children.get("*"))
        return node.meaning if node is not None else ""


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def parse_fields(text: str, answer: tuple[str, ...] = ()) -> FieldTable:
    """Read a table of fields.

    Args:
        text: As described above; blank lines and lines with `#` in front are ignored.
        answer: The paths below which text belongs to the answer: unread text there is
            lost to whoever reads the answer.

    Returns:
        The table.
    """
    root = _Node()
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        path, types, meaning = line.split(None, 2)
        node = root
        steps = path.replace("[]", ".[]").split(".")
        if steps[-1] == "**":
            steps.pop()
            types = "any"
        for step in filter(None, steps):
            node = node.children.setdefault(step, _Node())
        node.meaning = meaning
        if types == "any":
            node.is_any = True
        else:
            allowed = [kind for name in types.split("|") for kind in _TYPES[name]]
            node.types = node.types | frozenset(allowed)
    return FieldTable(root, answer)


def parse_sections(
    text: str, common: str = "", answer: tuple[str, ...] = ()
) -> dict[str, FieldTable]:
    """Read tables under headings such as ``[text_delta]``.

    Args:
        text: The tables. A heading may have several names, headings in a row share
            one table, and a blank line ends it.
        common: Fields that all of them have.
        answer: As for `parse_fields`; what is streamed is the answer in any case, so
            unread text of a name in `.delta` or `.done` is lost wherever it stands.
    """
    tables: dict[str, FieldTable] = {}
    names: list[str] = []
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        is_heading = line.startswith("[")
        if not line or (is_heading and lines):
            is_streamed = any(name.endswith((".delta", ".done")) for name in names)
            paths = ("",) if is_streamed else answer
            table = parse_fields(common + "\n".join(lines), paths)
            tables.update(dict.fromkeys(names, table))
            names, lines = [], []
        if is_heading:
            names += line.strip("[]").split()
        elif line:
            lines.append(line)
    return tables


class _Unread(NamedTuple):
    kind: DiagnosticKind
    event: int
    times: int
    excerpt: str

    def __str__(self) -> str:
        more = self.times - 1
        return self.excerpt + (f", and in {more} more places" if more else "")


class UnreadFields:
    """Collects the unread leaves of one stream, once a path."""

    def __init__(self, table: FieldTable) -> None:
        self._table = table
        self.last = -1
        """The number of the last event in which something was unread."""
        self._found: dict[str, dict[str, _Unread]] = {}  # by what is not known, by leaf
        self._count = 0

    def feed(
        self,
        index: int,
        payload: dict[str, Any],
        table: FieldTable | None = None,
        at: str = "",
    ) -> None:
        """Account for one event, or for an object in it.

        Args:
            index: The event's number.
            payload: The event's object, or the object in it.
            table: The table of this kind of event or object; None for the stream's.
            at: Where the object is in the event, as a path; empty for the event.
        """
        table = table or self._table
        if table.covers(payload):
            return
        self.last = index
        for root, below, value in table.unread(payload):
            path = _under(at, below) if at else below
            leaves = self._found.setdefault(_under(at, root) if at else root, {})
            known = leaves.get(path)
            if known is not None:
                leaves[path] = known._replace(times=known.times + 1)
            elif self._count < _MOST_KEY_SETS:
                self._count += 1
                kind = table.kind(below, value)
                if table.meaning(root):  # a known field that holds something else
                    kind = DiagnosticKind.UNREAD_TEXT
                leaves[path] = _Unread(kind, index, 1, shorten(value))

    def problems(self) -> list[Problem]:
        """Return one problem for each thing not known, in the order of appearance."""
        return [
            _problem(root, leaves) for root, leaves in self._found.items() if leaves
        ]


def _problem(root: str, leaves: dict[str, _Unread]) -> Problem:
    (path, first), *more = leaves.items()
    held = str(first)
    if more:
        path = root
        held = ", ".join(
            f"{leaf[len(root) :].lstrip('.')} {found}".lstrip()
            for leaf, found in leaves.items()
        )
    is_text = DiagnosticKind.UNREAD_TEXT in {found.kind for found in leaves.values()}
    return Problem(
        DiagnosticKind.UNREAD_TEXT if is_text else first.kind,
        f"{path} is no known field, or of another type: {held}",
        first.event,
    )
