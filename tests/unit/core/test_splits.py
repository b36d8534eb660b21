"""Splits: what each rule cuts, what is refused, and what goes into which piece."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from harness.apis.chat.chunks import Chunk
from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.splits import parse_split
from harness.errors import UsageError
from tests.chunk_streams import to_chunks


def delta(**fields: Any) -> dict[str, Any]:
    """Return a chunk's payload with one choice and this delta."""
    return {"id": "c", "choices": [{"index": 0, "delta": fields}]}


def call(arguments: str, index: int | None = 0, **rest: Any) -> dict[str, Any]:
    """Return an entry of `tool_calls`; `name` goes into its function."""
    function = {"arguments": arguments}
    if "name" in rest:
        function = {"name": rest.pop("name"), **function}
    return {"index": index, **rest, "function": function}


def deltas(split: str, *payloads: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the deltas of a recut stream."""
    recut = cut_chunks(parse_split(split), to_chunks(list(payloads)))
    return [chunk.payload["choices"][0]["delta"] for chunk in recut]


@pytest.mark.parametrize(
    ("split", "pieces"),
    [
        ("recorded", ["aé\U0001f600 b"]),
        ("whole", ["aé\U0001f600 b"]),
        ("chars", ["a", "é", "\U0001f600", " ", "b"]),
        ("2", ["aé", "\U0001f600 ", "b"]),
        ("99", ["aé\U0001f600 b"]),
        ("at:1,3", ["a", "é\U0001f600", " b"]),
        ("at:0,5,99", ["aé\U0001f600 b"]),
        ("at:1+4", ["a", "é\U0001f600 ", "b"]),
        ("tokens", ["aé", "\U0001f600", " b"]),
    ],
)
def test_cut_text_is_cut_where_the_rule_says(split: str, pieces: list[str]) -> None:
    """Positions are code points, and positions at the ends cut nothing."""
    assert parse_split(split).cut_text("aé\U0001f600 b") == pieces


def test_cut_text_keeps_lone_surrogates_apart() -> None:
    """Two surrogates that Python holds as two stay two."""
    assert parse_split("chars").cut_text("\ud83d\ude00") == ["\ud83d", "\ude00"]


def test_cut_bytes_cuts_inside_characters_and_line_ends() -> None:
    """Byte cuts know neither UTF-8 nor CRLF."""
    assert parse_split("chars").cut_bytes("é\r\n".encode()) == [
        b"\xc3",
        b"\xa9",
        b"\r",
        b"\n",
    ]


def test_tokens_look_like_tokens() -> None:
    """Blanks lead, digits come by three, marks and long words are cut."""
    text = '{"city": "San Francisco", "n": 12345}'
    assert parse_split("tokens").cut_text(text) == [
        '{"',
        "city",
        '":',
        ' "',
        "San",
        " Franci",
        "sco",
        '",',
        ' "',
        "n",
        '":',
        " 123",
        "45",
        "}",
    ]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1", "chars"),
        (" whole ", "whole"),
        ("at:7,3,3", "at:3,7"),
        ("random:007", "random:7"),
        ("chars+1", "chars"),
        (
            "recorded+random:18446744073709551615",
            "recorded+random:18446744073709551615",
        ),
    ],
)
def test_parse_prints_the_shortest_form(text: str, printed: str) -> None:
    """Two ways to write a split are one value."""
    assert str(parse_split(text)) == printed
    assert parse_split(text) == parse_split(printed)
    assert len({parse_split(text), parse_split(printed)}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "1.5",
        "٣",
        "char",
        "random",
        "random:",
        "random:x",
        "at:",
        "at:1,",
        "random:18446744073709551616",
        "recorded+",
        "9" * 5000,
        "at:" + "9" * 30,
    ],
)
def test_parse_refuses_what_is_no_split(text: str) -> None:
    """The message names what came and lists what is allowed, in one line."""
    listed = re.escape(
        "expected one of recorded, whole, chars, N (from 1), random:SEED, at:3,7,12, "
        "tokens"
    )
    with pytest.raises(UsageError, match=listed) as caught:
        parse_split(text)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_random_is_the_same_in_every_process() -> None:
    """Cuts depend on the seed and the position, not on the process."""
    program = (
        "from harness.core.splits import parse_split as p;"
        "print([len(x) for x in p('random:7').cut_text('x' * 500)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    }
    here = [len(piece) for piece in parse_split("random:7").cut_text("x" * 500)]
    assert outputs == {f"{here}\n".encode()}
    assert len(here) > 3


def test_random_cuts_runs_and_seeds_differently() -> None:
    """Neither two seeds nor two runs of one stream are cut alike, nor all finely."""
    text = "x" * 2000
    cuts = {
        tuple(map(len, parse_split(f"random:{s}").cut_text(text))) for s in range(9)
    }
    assert len(cuts) == 9
    lengths = {length for cut in cuts for length in cut}
    assert min(lengths) == 1
    assert max(lengths) > 40
    start = parse_split("random:3").start
    assert start(0)(text) != start(1)(text)


def test_recorded_is_the_stream_itself() -> None:
    """Nothing is copied, merged or cut."""
    chunks = to_chunks([delta(content="ab"), delta(content="cd")])
    recut = list(cut_chunks(parse_split("recorded"), chunks))
    assert all(new is old for new, old in zip(recut, chunks, strict=True))


def test_whole_merges_neighbours_of_one_kind_and_call() -> None:
    """Content, then each call whole with its name, a fragment each."""
    assert deltas(
        "whole",
        delta(role="assistant", content=""),
        delta(content="a"),
        delta(content="b"),
        delta(tool_calls=[call("", id="x", name="f", type="function")]),
        delta(tool_calls=[call("{")]),
        delta(tool_calls=[call("}")]),
        delta(tool_calls=[call("{}", 1, id="y", name="g")]),
        delta(content="c"),
    ) == [
        {"role": "assistant", "content": ""},
        {"content": "ab"},
        {"tool_calls": [call("{}", id="x", name="f", type="function")]},
        {"tool_calls": [call("{}", 1, id="y", name="g")]},
        {"content": "c"},
    ]


def test_whole_never_merges_names() -> None:
    """A name in pieces stays in pieces, and a resent name resent."""
    pieces = [
        delta(tool_calls=[call("", id="x", name="se")]),
        delta(tool_calls=[call("", name="nd")]),
        delta(tool_calls=[call("{", name="send")]),
    ]
    assert deltas("whole", *pieces) == [p["choices"][0]["delta"] for p in pieces]


def test_whole_never_merges_two_calls_at_one_index() -> None:
    """A new id at an index already taken begins a run of its own."""
    first = delta(tool_calls=[call("{}", id="x", name="f")])
    second = delta(tool_calls=[call("{}", id="y", name="f")])
    assert len(deltas("whole", first, second)) == 2


def test_a_piece_carries_what_belongs_to_it() -> None:
    """First piece: role, unknown fields. Last: finish, logprobs, usage. All: the id."""
    payload = {
        "id": "c",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "abc", "annotations": [1]},
                "logprobs": {"content": [2]},
                "finish_reason": "stop",
            }
        ],
        "usage": {"total_tokens": 3},
        "citations": ["u"],
        "x": None,
    }
    first, middle, last = cut_chunks(parse_split("chars"), [Chunk(4, 0.5, payload)])
    assert first.payload == {
        "id": "c",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "a", "annotations": [1]},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
        "citations": ["u"],
        "x": None,
    }
    bare = {"index": 0, "logprobs": None, "finish_reason": None}
    assert middle.payload == {
        "id": "c",
        "choices": [{**bare, "delta": {"content": "b"}}],
        "x": None,
    }
    assert last.payload == {
        "id": "c",
        "choices": [
            {
                "index": 0,
                "delta": {"content": "c"},
                "logprobs": {"content": [2]},
                "finish_reason": "stop",
            }
        ],
        "usage": {"total_tokens": 3},
        "x": None,
    }
    assert [(c.index, c.at) for c in (first, middle, last)] == [(4, 0.5)] * 3


def test_merged_chunks_keep_both_logprobs_and_the_last_place() -> None:
    """Lists are joined, and the number and time are those of the end."""
    payloads = [
        {
            "id": f"c{n}",
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": "ab"[n]},
                    "logprobs": {"content": [n], "refusal": None},
                    "finish_reason": [None, "stop"][n],
                }
            ],
            "obfuscation": "xy"[n],
        }
        for n in range(2)
    ]
    (merged,) = cut_chunks(parse_split("whole"), to_chunks(payloads))
    assert merged == Chunk(
        1,
        0.1,
        {
            "id": "c0",
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": "ab"},
                    "logprobs": {"content": [0, 1], "refusal": None},
                    "finish_reason": "stop",
                }
            ],
            "obfuscation": "y",
        },
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            {"content": "a", "channel": "analysis"},
            {"content": "b", "channel": "final"},
        ),
        (
            {"function_call": {"arguments": "{", "strict": 1}},
            {"function_call": {"arguments": "}", "strict": 2}},
        ),
        (
            {"tool_calls": [call("{", strict=1)]},
            {"tool_calls": [call("}", strict=2)]},
        ),
        (
            {"content": [{"type": "text", "text": "a", "at": 1}]},
            {"content": [{"type": "text", "text": "b", "at": 2}]},
        ),
        (
            {"tool_calls": [{"index": 0, "function": {"arguments": "{", "x": 1}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "}", "x": 2}}]},
        ),
    ],
)
def test_contradicting_fields_are_not_merged(first: Any, second: Any) -> None:
    """Where one of two values would be lost, the recorded cut stays."""
    assert deltas("whole", delta(**first), delta(**second)) == [first, second]


def test_a_call_in_the_legacy_form_is_cut_and_merged() -> None:
    """Its name stands in the first piece only, and is never merged with another."""
    name, rest = {"name": "f", "arguments": "{"}, {"arguments": '"a":1}'}
    sent = [delta(function_call=name), delta(function_call=rest)]
    assert deltas("whole", *sent) == [
        {"function_call": {"name": "f", "arguments": '{"a":1}'}}
    ]
    first, *others = deltas("chars", delta(function_call={"name": "f", **rest}))
    assert first == {"function_call": {"name": "f", "arguments": '"'}}
    assert others == [{"function_call": {"arguments": c}} for c in 'a":1}']


def test_a_repeated_id_is_on_every_piece() -> None:
    """Calls at one index are told apart by it, also when they interleave."""
    first, second = call("{", id="x", name="f"), call("{", id="y", name="f")
    recut = deltas(
        "chars",
        delta(tool_calls=[first]),
        delta(tool_calls=[second]),
        delta(tool_calls=[call("ab", id="x")]),
    )
    assert recut[2:] == [
        {"tool_calls": [call("a", id="x")]},
        {"tool_calls": [call("b", id="x")]},
    ]


def test_a_call_without_id_keeps_its_beginning_beside_its_name() -> None:
    """Only the start of an object beside a name tells such calls apart."""
    entry = {"index": 0, "function": {"name": "f", "arguments": " {}"}}
    recut = deltas("chars", *[delta(tool_calls=[entry])] * 2)
    assert [sent["tool_calls"][0]["function"] for sent in recut] == [
        {"name": "f", "arguments": " {"},
        {"arguments": "}"},
    ] * 2


def test_several_units_in_one_delta_come_apart_only_when_cut() -> None:
    """Reasoning, content and calls in one delta keep their reading order."""
    bundle = delta(
        content="ab",
        reasoning="r",
        tool_calls=[call("{}", id="x", name="f"), call("", 1, id="y", name="g")],
    )
    assert deltas("whole", bundle) == [bundle["choices"][0]["delta"]]
    assert deltas("at:1", bundle) == [
        {"reasoning": "r"},
        {"content": "a"},
        {"content": "b"},
        {"tool_calls": [call("{", id="x", name="f")]},
        {"tool_calls": [call("}")]},
        {"tool_calls": [call("", 1, id="y", name="g")]},
    ]


def test_two_reasoning_fields_with_one_text_are_cut_alike() -> None:
    """A reader takes one of them; cut apart, the text would come twice."""
    assert deltas("chars", delta(reasoning_content="ab", reasoning="ab")) == [
        {"reasoning_content": "a", "reasoning": "a"},
        {"reasoning_content": "b", "reasoning": "b"},
    ]


def test_a_list_with_one_part_is_cut_inside_it() -> None:
    """Mistral's content parts keep their form."""
    inner = [{"type": "text", "text": "ab"}]
    thinking = {"type": "thinking", "thinking": inner}
    assert deltas("chars", delta(content=[thinking])) == [
        {"content": [{**thinking, "thinking": [{"type": "text", "text": text}]}]}
        for text in "ab"
    ]


def test_choices_are_cut_independently() -> None:
    """Text of choice 0 is merged across chunks of choice 1, in order of their ends."""
    payloads = [
        {"choices": [{"index": n % 2, "delta": {"content": str(n)}}]} for n in range(4)
    ]
    recut = list(cut_chunks(parse_split("whole"), to_chunks(payloads)))
    contents = [
        (c.index, c.payload["choices"][0]["index"], c.payload["choices"][0]["delta"])
        for c in recut
    ]
    assert contents == [(2, 0, {"content": "02"}), (3, 1, {"content": "13"})]


def test_places_never_run_backwards() -> None:
    """A piece that waited for its choice's end takes the place of the one before."""
    first = {"choices": [{"index": 1, "delta": {"content": "1"}}]}
    rest = [delta(content="0"), delta(refusal="0")]
    recut = list(cut_chunks(parse_split("whole"), to_chunks([first, *rest])))
    assert [(c.index, c.payload["choices"][0]["index"]) for c in recut] == [
        (1, 0),
        (1, 1),
        (2, 0),
    ]


@pytest.mark.parametrize(
    "entries",
    [
        [call("abc", None, id="x"), call("abc", None, id="y")],
        [call("abc", name="f"), call("abc", name="g")],
    ],
    ids=["by id", "by name"],
)
def test_positions_begin_anew_with_each_call(entries: list[dict[str, Any]]) -> None:
    """Neighbouring calls without an index of their own are two runs."""
    recut = deltas("2", *(delta(tool_calls=[entry]) for entry in entries))
    texts = [sent["tool_calls"][0]["function"]["arguments"] for sent in recut]
    assert texts == ["ab", "c", "ab", "c"]


def test_recut_is_lazy() -> None:
    """One chunk behind, a piece is out; `whole` waits for the end of the run."""

    def endless() -> Any:
        for number in range(10**9):
            yield Chunk(number, None, delta(content="abcd"))

    recut = cut_chunks(parse_split("3"), endless())
    assert [next(recut).payload["choices"][0]["delta"] for _ in range(2)] == [
        {"content": "abc"},
        {"content": "dab"},
    ]


def test_errors_and_odd_chunks_pass_unchanged() -> None:
    """What has no choices to cut comes through as the object it is."""
    odd: list[dict[str, Any]] = [
        {"error": {"message": "m"}, "choices": [{"delta": {"content": "ab"}}]},
        {"choices": None},
        {"choices": ["x"]},
        {"choices": []},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"message": {"content": "ab"}}]},
        {"choices": [{"delta": {"tool_calls": "x"}}]},
        delta(tool_calls=[call("{}")], function_call={"arguments": "{}"}),
        delta(tool_calls=[call("{}"), "x"]),
        delta(tool_calls=[call("{}"), {"index": 1, "function": "f"}]),
        {
            "choices": [
                {"delta": {"tool_calls": [{"function": {"arguments": {"a": 1}}}]}}
            ]
        },
    ]
    recut = list(cut_chunks(parse_split("chars"), to_chunks(odd)))
    assert [chunk.payload for chunk in recut] == odd


def test_a_stream_of_bytes_is_cut_as_one_run() -> None:
    """Pieces are joined or cut at positions of the whole stream."""
    split = parse_split("at:2,5")
    assert list(split.recut_bytes([b"a", b"", b"bcd", b"ef"])) == [b"ab", b"cde", b"f"]
    kept = parse_split("recorded").recut_bytes([b"a", b"", b"bc"])
    assert list(kept) == [b"a", b"bc"]


@pytest.mark.parametrize("split", ["chars", "2", "whole", "random:3"])
@pytest.mark.parametrize("others", [{}, {"content": "hello"}])
def test_two_texts_of_reasoning_are_moved_and_never_mixed(
    split: str, others: dict[str, str]
) -> None:
    """Cut, the pieces of one would stand among those of the other."""
    payload = delta(reasoning="abcdef", reasoning_content="xyz", **others)
    whole, cut = ResponseAccumulator(), ResponseAccumulator()
    whole.feed(payload)
    for chunk in cut_chunks(parse_split(split), to_chunks([payload])):
        cut.feed(chunk.payload)
    assert cut.message() == whole.message()
