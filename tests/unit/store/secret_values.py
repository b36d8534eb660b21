"""Values of secret formats for the tests: drawn from regular expressions, not written.

No scanner finds them in these files, and whoever adds a row gets its tests.
"""

from __future__ import annotations

import importlib
import re
import string
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.shared import SHARED

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_PARSER: Any = importlib.import_module("re._parser")
_SOME = 12  # repetitions beyond the least, where there may be any number
_CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits,
}


def drawn(pattern: str, rng: random.Random) -> str:
    """Return a text that a regular expression matches, look-arounds included.

    Args:
        pattern: The expression.
        rng: Decides; the same one draws the same texts.
    """
    tree = _parsed(pattern)
    compiled = re.compile(pattern)
    for _ in range(500):
        text = "".join(_of_tree(tree, rng))
        # Look-behinds and ends want something around the text.
        if compiled.fullmatch(text) or compiled.search(f" {text} "):
            return text
    raise AssertionError(f"nothing drawn for {pattern}")


@cache
def _parsed(pattern: str) -> Any:
    return _PARSER.parse(pattern)


def _of_tree(tree: Any, rng: random.Random) -> Iterator[str]:
    for operator, argument in tree:
        yield from _of_node(str(operator), argument, rng)


def _of_node(operator: str, argument: Any, rng: random.Random) -> Iterator[str]:
    if operator == "LITERAL":
        yield chr(argument)
    elif operator == "ANY":
        yield "."  # a full stop that its author did not escape
    elif operator == "NOT_LITERAL":
        yield rng.choice(string.ascii_letters)
    elif operator == "IN":
        yield rng.choice(_of_class(tuple(argument)))
    elif operator == "BRANCH":
        yield from _of_tree(rng.choice(argument[1]), rng)
    elif operator == "SUBPATTERN":
        yield from _of_tree(argument[3], rng)
    elif operator in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, tree = argument
        if str(tree[0][0]) == "ANY":
            tree = _parsed("[a-zA-Z0-9]")
            most = most if least else 0
        elif int(most) > 1000:  # a key of one character is none
            least, most = max(least, _SOME // 2), least + _SOME
        for _ in range(rng.randint(least, min(int(most), least + _SOME))):
            yield from _of_tree(tree, rng)
    elif operator == "ATOMIC_GROUP":
        yield from _of_tree(argument, rng)
    else:
        assert operator in {"AT", "ASSERT", "ASSERT_NOT"}, operator


@cache
def _of_class(items: tuple[Any, ...]) -> str:
    found = ""
    for operator, argument in items:
        name = str(operator)
        if name == "LITERAL":
            found += chr(argument)
        elif name == "RANGE":
            found += "".join(map(chr, range(argument[0], argument[1] + 1)))
        elif name == "CATEGORY":
            found += _CATEGORIES[str(argument)]
        else:
            assert name == "NEGATE", name
            rest = _of_class(items[1:])
            return "".join(
                c for c in string.ascii_letters + string.digits if c not in rest
            )
    return found


class Rule(NamedTuple):
    """One rule of gitleaks, as it is meant."""

    name: str
    keyword: str
    """A regular expression for the word beside the value; empty where none is."""
    value: str
    """A regular expression for the value; empty for a rule about file names."""


_BEFORE = r"\{0,50\}\?(\(\?:.*\))\(\?:\[ \\t\\w\.-\]\{0,20\}\)\[\\s'\"\]\{0,3\}\)?"
_OPERATOR = (
    r"(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"
    '"'
    r"\s=]{0,5}"
)
_AFTER = r"(?:[\x60'" + '"' + r"\s;]|\\[nr]|$)"


def gitleaks_rules() -> list[Rule]:
    """Return the rules of gitleaks in the order of their file; none without it."""
    path = SHARED / "secret-formats" / "gitleaks.toml"
    if not path.is_file():
        return []
    rules = tomllib.loads(path.read_text(encoding="utf-8"))["rules"]
    return [_rule(rule["id"], rule.get("regex", "")) for rule in rules]


def _rule(name: str, regex: str) -> Rule:
    before, operator, after = regex.partition(_OPERATOR)
    match = re.search(_BEFORE, before)
    if operator and match:
        value = after.partition(_AFTER)[0]
        return Rule(name, _python(match[1]), _python(value))
    for end in (
        _AFTER,
        _AFTER[:-1] + r"|\b)",
        r"(?:[^\w-]|\z)",
        r"(?:[^a-zA-Z0-9+/]|\z)",
    ):
        regex = regex.removesuffix(end)
    return Rule(name, "", _python(regex))


def _python(regex: str) -> str:
    """Return Go's syntax as Python's: flags hold to the end of their group there."""
    regex = regex.replace("[[:alnum:]]", "[A-Za-z0-9]").replace(r"\z", r"\Z")
    pieces: list[str] = []
    opened = [0]  # how many groups with a flag, in each group
    for token in _TOKEN.findall(regex):
        if token == "(?i)":
            pieces.append("(?i:")
            opened[-1] += 1
            continue
        if token == "(":
            opened.append(0)
        elif token == ")":
            pieces.append(")" * opened.pop())
        elif token == "|":
            pieces.append(")" * opened[-1] + "|" + "(?i:" * opened[-1])
            continue
        pieces.append(token)
    return "".join([*pieces, ")" * opened.pop()])


_TOKEN = re.compile(r"\(\?i\)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
