"""The states of the argument machine: what JSON allows after what, as one table.

Owns the names of the states, the table of moves between them and the words for
what each expects. It reads nothing: `harness.core.json_arguments` does, and its
docstring has the theory. Change a state here and look at all five tables.

Source: RFC 8259, sections 2 to 7; only the top level is narrower (an object).
"""

from __future__ import annotations

from typing import Final

# States between tokens, named after what comes next.
OBJECT: Final = "object"
FIRST_KEY: Final = "first key"
KEY: Final = "key"
COLON: Final = "colon"
VALUE: Final = "value"
FIRST_ITEM: Final = "first item"
AFTER_MEMBER: Final = "after member"
AFTER_ITEM: Final = "after item"
END: Final = "end"

# Not a state to rest in: a value is complete, the container around it decides.
CLOSED: Final = "closed"

# States inside a string.
IN_KEY: Final = "in key"
IN_OTHER_KEY: Final = "in other key"
IN_MESSAGE: Final = "in message"
IN_OTHER_VALUE: Final = "in other value"

# States inside a number, named after what was read last. Those inside a literal
# are named by the letters that were read: "t", "tr", "tru".
MINUS: Final = "minus"
ZERO: Final = "zero"
INTEGER: Final = "integer"
POINT: Final = "point"
FRACTION: Final = "fraction"
E: Final = "e"
E_SIGN: Final = "e sign"
EXPONENT: Final = "exponent"

DIGITS: Final = "0123456789"

VALUE_BEGINS: Final[dict[str, str]] = {
    '"': IN_OTHER_VALUE,  # or IN_MESSAGE, see _begin_value
    "{": FIRST_KEY,
    "[": FIRST_ITEM,
    "-": MINUS,
    "0": ZERO,
    **dict.fromkeys("123456789", INTEGER),
    "t": "t",
    "f": "f",
    "n": "n",
}

# JSON's names of the types, by the first character; a number has eleven of them.
TYPE_NAMES: Final = {
    "{": "object",
    "[": "array",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
}
WHITESPACE: Final = " \t\n\r"  # RFC 8259's four; str.isspace knows many more

MOVES: Final[dict[str, dict[str, str]]] = {
    OBJECT: {"{": FIRST_KEY},
    FIRST_KEY: {'"': IN_KEY, "}": CLOSED},
    KEY: {'"': IN_KEY},
    COLON: {":": VALUE},
    VALUE: VALUE_BEGINS,
    FIRST_ITEM: {**VALUE_BEGINS, "]": CLOSED},
    AFTER_MEMBER: {",": KEY, "}": CLOSED},
    AFTER_ITEM: {",": VALUE, "]": CLOSED},
    END: {},
    MINUS: {"0": ZERO, **dict.fromkeys("123456789", INTEGER)},
    ZERO: {".": POINT, "e": E, "E": E},
    INTEGER: {**dict.fromkeys(DIGITS, INTEGER), ".": POINT, "e": E, "E": E},
    POINT: dict.fromkeys(DIGITS, FRACTION),
    FRACTION: {**dict.fromkeys(DIGITS, FRACTION), "e": E, "E": E},
    E: {**dict.fromkeys(DIGITS, EXPONENT), "+": E_SIGN, "-": E_SIGN},
    E_SIGN: dict.fromkeys(DIGITS, EXPONENT),
    EXPONENT: dict.fromkeys(DIGITS, EXPONENT),
    "t": {"r": "tr"},
    "tr": {"u": "tru"},
    "tru": {"e": CLOSED},
    "f": {"a": "fa"},
    "fa": {"l": "fal"},
    "fal": {"s": "fals"},
    "fals": {"e": CLOSED},
    "n": {"u": "nu"},
    "nu": {"l": "nul"},
    "nul": {"l": CLOSED},
}

STRINGS: Final = frozenset({IN_KEY, IN_OTHER_KEY, IN_MESSAGE, IN_OTHER_VALUE})
DECODED: Final = frozenset({IN_KEY, IN_MESSAGE})
NUMBER_MAY_END: Final = frozenset({ZERO, INTEGER, FRACTION, EXPONENT})
SPACE_ALLOWED: Final = frozenset(
    {
        *(OBJECT, FIRST_KEY, KEY, COLON, VALUE, FIRST_ITEM),
        *(AFTER_MEMBER, AFTER_ITEM, END),
    }
)

# What an error names as expected, by the state it came in.
EXPECTED: Final[dict[str, str]] = {
    OBJECT: "'{'",
    FIRST_KEY: "a quoted key or '}'",
    KEY: "a quoted key",
    COLON: "':'",
    VALUE: "a value",
    FIRST_ITEM: "a value or ']'",
    AFTER_MEMBER: "',' or '}'",
    AFTER_ITEM: "',' or ']'",
    END: "nothing after the object",
    **dict.fromkeys(STRINGS, "the rest of a string"),
    **dict.fromkeys((MINUS, POINT, E_SIGN), "a digit"),
    E: "a digit, '+' or '-'",
    **dict.fromkeys(("t", "tr", "tru"), "the rest of 'true'"),
    **dict.fromkeys(("f", "fa", "fal", "fals"), "the rest of 'false'"),
    **dict.fromkeys(("n", "nu", "nul"), "the rest of 'null'"),
}

ESCAPED: Final = 'one of "\\/bfnrtu after a backslash'
HEX_DIGIT: Final = "a hexadecimal digit"
