"""`use_assistant_message` while tokens stream: what is text and what is a call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.interfaces.streams import (
    Payload,
    chunk,
    content,
    finish,
    fragment,
    spoken,
    stream,
)


def _call(
    arguments: str, *, name: str = "send_message", index: int = 0, call_id: str = "a"
) -> Payload:
    return fragment(arguments, name=name, index=index, call_id=call_id)


def _whole(arguments: str, name: str = "send_message", call_id: str = "a") -> Any:
    fields = {"name": name, "arguments": arguments, "function_call_id": call_id}
    return ("call", fields)


def _delta(**fields: str) -> Any:
    if "call_id" in fields:
        fields["function_call_id"] = fields.pop("call_id")
    return ("delta", fields)


def test_name_and_arguments_in_one_delta() -> None:
    """A call that comes complete in one chunk is the text at once."""
    assert stream([_call('{"message": "Hello"}')], use_assistant_message=True) == [
        ("text", "Hello"),
        "[DONE_GEN]",
    ]


def test_text_comes_as_early_as_it_is_decided() -> None:
    """Each fragment's text is a message of its own, before the next fragment."""
    pieces = ['{"mess', 'age": "Hel', "lo\\", "n", "\\ud83d", "\\ude00", '"}']
    assert spoken([_call("")] + [fragment(p) for p in pieces]) == [
        ("text", "Hel"),
        ("text", "lo"),
        ("text", "\n"),
        ("text", "😀"),
    ]


@pytest.mark.parametrize("first", range(1, len("send_message")))
def test_name_in_pieces_is_recognised(first: int) -> None:
    """A name cut anywhere is held back until it is decided."""
    name = "send_message"
    payloads = [
        fragment(name=name[:first], call_id="a"),
        fragment(name=name[first:]),
        fragment('{"message": "x"}'),
    ]
    assert spoken(payloads) == [("text", "x")]


def test_name_in_two_pieces_of_one_delta_is_not_doubled() -> None:
    """The second piece is shown once, though it was read before the first is shown."""
    pieces = [fragment(name="ge", call_id="a"), fragment(name="t")]
    entries = [
        entry
        for piece in pieces
        for entry in piece["choices"][0]["delta"]["tool_calls"]
    ]
    assert spoken([chunk({"tool_calls": entries})]) == [
        _delta(name="ge", call_id="a"),
        _delta(name="t"),
    ]


def test_name_sent_with_every_fragment_is_the_same_name() -> None:
    """Providers that repeat id and name do not make another function of it."""
    payloads = [_call('{"message":'), _call(' "x'), _call('y"}')]
    assert spoken(payloads) == [("text", "x"), ("text", "y")]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["send", "_email"], [_delta(name="send_email", call_id="a")]),
        (
            ["send_message", "_later"],
            [_delta(name="send_message_later", call_id="a")],
        ),
        (
            ["sen", "x", "yz"],
            [_delta(name="senx", call_id="a"), _delta(name="yz")],
        ),
        (["get"], [_delta(name="get", call_id="a")]),
    ],
)
def test_other_names_are_passed_on_as_soon_as_they_are_decided(
    pieces: list[str], expected: list[Any]
) -> None:
    """What went another way is shown with the chunk that decided it."""
    payloads = [fragment(name=pieces[0], call_id="a")]
    payloads += [fragment(name=piece) for piece in pieces[1:]]
    assert stream(payloads, use_assistant_message=True, is_ended=False) == expected


@pytest.mark.parametrize(
    ("decision", "shown"),
    [
        (fragment("{}"), [_delta(name="send", arguments="{}", call_id="a")]),
        (
            _call("{}", name="f", index=1, call_id="b"),
            [
                _delta(name="send", call_id="a"),
                _delta(name="f", arguments="{}", call_id="b"),
            ],
        ),
        (finish(), [_delta(name="send", call_id="a")]),
        (content("t"), [("thought", "t")]),
    ],
    ids=["arguments", "another call", "finish", "text decides nothing"],
)
def test_a_beginning_of_the_name_waits_for_a_decision(
    decision: Payload, shown: list[Any]
) -> None:
    """A held name comes with its first arguments, another call or the end."""
    held = fragment(name="send", call_id="a")
    assert stream([held], use_assistant_message=True, is_ended=False) == []
    assert spoken([held, decision])[: len(shown)] == shown
    assert _delta(name="send", call_id="a") in spoken([held])


def test_empty_message_gives_one_empty_text() -> None:
    """A call that says nothing does not vanish, and is told once."""
    assert spoken([_call('{"message": ""}'), finish()]) == [("text", "")]
    pieces = [_call('{"message"'), fragment(':""'), fragment("}"), fragment(" ")]
    assert spoken(pieces) == [("text", "")]
    both = [_call('{"message":""}'), _call('{"message":"b"}', index=1, call_id="b")]
    assert spoken(both) == [("text", ""), ("text", "b")]


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ('{"text": "x"}', []),
        ("{}", []),
        ('{"message": 5}', []),
        ('{"message": null}', []),
        ('{"a": {"message": "deep"}}', []),
        ('{"message": "Hel', [("text", "Hel")]),
        ('{"message": "', []),
        ('{"message": ""', []),
        ('{"message": "a" "b"}', [("text", "a")]),
        ('{"message": "C:\\users"}', [("text", "C:")]),
        ('{"message": "a"} trailing', [("text", "a")]),
        ('{"message": ""} x', []),
        ("not json", []),
        ("[]", []),
    ],
)
@pytest.mark.parametrize("is_finished", [True, False], ids=["finish", "end"])
def test_a_call_that_cannot_be_shown_is_passed_on_whole(
    arguments: str, texts: list[Any], *, is_finished: bool
) -> None:
    """Text already shown stays; the raw call follows once, at finish or end."""
    pieces = [_call("")] + [fragment(character) for character in arguments]
    if is_finished:
        pieces.append(finish())
    items = spoken(pieces)
    shown = "".join(text for kind, text in items[:-1])
    assert shown == "".join(text for _, text in texts)
    assert all(kind == "text" for kind, _ in items[:-1])
    assert items[-1] == _whole(arguments)


def test_zero_arguments_are_a_call_that_lacks_its_key() -> None:
    """A call to the assistant function without arguments does not vanish."""
    assert spoken([fragment(name="send_message", call_id="a"), finish()]) == [
        _whole("")
    ]


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        ('{"message": "x" oops', [("text", "x"), _whole('{"message": "x" oops')]),
        ('{"text": "x"}', [_whole('{"text": "x"}')]),
        ('{"message": ""}', [("text", "")]),
    ],
)
def test_the_next_call_settles_what_is_over(first: str, shown: list[Any]) -> None:
    """Malformed and closed calls are told before the call that follows them."""
    other = _call("{}", name="f", index=1, call_id="b")
    items = stream([_call(first), other], use_assistant_message=True, is_ended=False)
    assert items == [*shown, _delta(name="f", arguments="{}", call_id="b")]
    assert spoken([_call(first), other]) == items


def test_an_open_call_goes_on_after_another_ones_fragment() -> None:
    """Interleaved with another call, the assistant function's text is complete."""
    items = spoken(
        [
            _call('{"message": "Hel'),
            _call("{", name="f", index=1, call_id="b"),
            fragment("lo", index=0),
            fragment("}", index=1),
            fragment('!"}', index=0),
            finish(),
        ]
    )
    assert items == [
        ("text", "Hel"),
        _delta(name="f", arguments="{", call_id="b"),
        ("text", "lo"),
        _delta(arguments="}", call_id="b"),
        ("text", "!"),
    ]


def test_an_announced_assistant_call_may_wait_for_another() -> None:
    """Both names come first, then both arguments: the text is still text."""
    items = spoken(
        [
            fragment("", name="send_message", call_id="a", index=0),
            fragment("", name="f", call_id="b", index=1),
            fragment('{"message": "x"}', index=0),
            fragment("{}", index=1),
            finish(),
        ]
    )
    assert items == [
        _delta(name="f", call_id="b"),
        ("text", "x"),
        _delta(arguments="{}", call_id="b"),
    ]


def test_two_assistant_calls_in_parallel_do_not_mix() -> None:
    """Two calls to the assistant function, interleaved, one of them malformed."""
    items = spoken(
        [
            _call('{"message": "a\\'),
            _call('{"message": "b', index=1, call_id="b"),
            fragment("n", index=0),
            fragment("\\x", index=1),
            fragment('"}', index=0),
            fragment('"}', index=1),
            finish(),
        ]
    )
    assert items == [
        ("text", "a"),
        ("text", "b"),
        ("text", "\n"),
        _whole('{"message": "b\\x', call_id="b"),
        _delta(arguments='"}', call_id="b"),
    ]


def test_fragments_after_a_call_was_passed_on_are_passed_on() -> None:
    """Nothing is lost when a provider sends more after its finish."""
    items = spoken([_call('{"message": "Hel'), finish(), fragment('lo"}')])
    assert items == [
        ("text", "Hel"),
        _whole('{"message": "Hel'),
        _delta(arguments='lo"}'),
    ]


def test_text_after_a_finish_is_still_text() -> None:
    """A well-formed call that is finished can still turn out malformed, once."""
    payloads = [_call('{"message": "x"}'), finish(), finish(), fragment(" ")]
    assert spoken(payloads) == [("text", "x")]
    payloads = [_call('{"message": "x"}'), finish(), fragment("y"), finish(), finish()]
    assert spoken(payloads) == [("text", "x"), _whole('{"message": "x"}y')]


def test_a_step_that_ends_without_stream_end_loses_no_call() -> None:
    """step_complete, step_yield and stream_start settle what is held back."""
    from harness.agents.letta.streaming import StreamingServerInterface
    from tests.unit.interfaces.streams import DATE, ID, short

    for ending in ("step_complete", "step_yield", "stream_start"):
        interface = StreamingServerInterface(use_assistant_message=True)
        interface.stream_start()
        interface.process_payload(_call('{"text": 1}'), ID, DATE)
        assert interface.drain() == []
        getattr(interface, ending)()
        assert short(interface.drain()[0]) == _whole('{"text": 1}'), ending


def test_responses_do_not_mix() -> None:
    """After stream_end the same index is another response's call."""
    from harness.agents.letta.streaming import StreamingServerInterface
    from tests.unit.interfaces.streams import DATE, ID, short

    interface = StreamingServerInterface(use_assistant_message=True)
    for text in ("a", "b"):
        interface.stream_start()
        interface.process_payload(_call(f'{{"message": "{text}'), ID, DATE)
        interface.process_payload(fragment('"}'), ID, DATE)
        interface.stream_end()
    items = [short(item) for item in interface.drain()]
    assert items == [("text", "a"), "[DONE_GEN]", ("text", "b"), "[DONE_GEN]"]


def test_legacy_function_call_is_a_call() -> None:
    """The legacy form speaks as well."""
    payloads = [
        chunk({"function_call": {"name": "send_message", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"message": "x"}'}}),
        finish("function_call"),
    ]
    assert spoken(payloads) == [("text", "x")]


def test_without_the_option_every_call_is_passed_on_at_once() -> None:
    """No name is held back and no arguments are read."""
    payloads = [fragment(name="send", call_id="a"), fragment('{"message": "x')]
    assert stream(payloads, is_ended=False) == [
        _delta(name="send", call_id="a"),
        _delta(arguments='{"message": "x'),
    ]


def test_cost_does_not_grow_with_history() -> None:
    """A fragment late in a response takes no more Python calls than an early one."""
    import sys

    from harness.agents.letta.streaming import StreamingServerInterface
    from tests.unit.interfaces.streams import DATE, ID

    interface = StreamingServerInterface(use_assistant_message=True)
    payload = fragment("abcd")

    def calls_of_one() -> int:
        count = 0

        def profile(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(profile)
        interface.process_payload(payload, ID, DATE)
        sys.setprofile(None)
        return count

    for n in range(50):  # many calls behind it, all of them settled
        interface.process_payload(
            _call('{"message": "x"}', index=n, call_id=f"c{n}"), ID, DATE
        )
    interface.process_payload(_call('{"message": "', index=0, call_id="z"), ID, DATE)
    calls_of_one()
    early = calls_of_one()
    for _ in range(20_000):
        interface.process_payload(payload, ID, DATE)
    assert calls_of_one() == early
