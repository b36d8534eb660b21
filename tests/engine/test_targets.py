"""From a name, a class, a factory or an object to an interface."""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.agents.letta.queuing import QueuingInterface
from harness.agents.letta.streaming import StreamingServerInterface
from harness.engine.agent_options import AgentOptions
from harness.engine.replay import replay
from harness.engine.targets import make_interface, name_of
from harness.errors import InterfaceError, UsageError
from tests import third_party_interfaces as theirs
from tests.engine.made import cassette, finish, sse, text

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "tests.third_party_interfaces"
OPTIONS = AgentOptions(
    use_assistant_message=True,
    assistant_function="speak",
    assistant_argument="words",
    multi_step=False,
)


def made(target: object, options: AgentOptions = OPTIONS) -> Any:
    """Return the interface of a target."""
    return make_interface(target, options)


@pytest.mark.parametrize("target", ["streaming", StreamingServerInterface])
def test_streaming_gets_every_option(target: object) -> None:
    """Ours is made with what agent and interface agree on."""
    interface = made(target)
    assert type(interface) is StreamingServerInterface
    assert interface.multi_step is False
    assert interface.use_assistant_message is True
    assert interface.assistant_message_function_name == "speak"
    assert interface.assistant_message_function_kwarg == "words"


@pytest.mark.parametrize("target", ["queuing", QueuingInterface])
def test_queuing_takes_none_of_the_options(target: object) -> None:
    """A constructor is given only what it has parameters for."""
    assert type(made(target)) is QueuingInterface


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (f"{MODULE}:EventInterface", theirs.EventInterface),
        (f"{MODULE}:make_event_interface", theirs.EventInterface),
        (f"{MODULE}:Package.Inner", theirs.Package.Inner),
        (f"{MODULE}:Package.instance", theirs.ListInterface),
        (theirs.make_event_interface, theirs.EventInterface),
        (theirs.Package.Inner, theirs.Package.Inner),
        (functools.partial(theirs.EventInterface, timeout=3), theirs.EventInterface),
        (theirs.ListInterface, theirs.ListInterface),
    ],
)
def test_every_kind_of_target_gives_its_interface(target: object, kind: type) -> None:
    """Class, factory, object, nested name and partial all lead to an interface."""
    assert type(made(target)) is kind


def test_object_is_used_as_it_is() -> None:
    """An object is not made again."""
    interface = theirs.ListInterface()
    assert made(interface) is interface
    assert made(f"{MODULE}:Package.instance") is theirs.Package.instance


def test_arguments_go_where_they_have_the_names() -> None:
    """Known names are passed on, the target's own keep their defaults."""
    assert made(theirs.Choosy).to_list() == [{"assistant": True, "own": "default"}]
    assert made(theirs.EventInterface).multi_step is False
    assert made(f"{MODULE}:make_anything").to_list() == [
        {
            "options": {
                "multi_step": False,
                "use_assistant_message": True,
                "assistant_message_function_name": "speak",
                "assistant_message_function_kwarg": "words",
            }
        }
    ]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("mine", "interface 'mine' is none of 'streaming', 'queuing', 'both' and no"),
        (":X", "is none of"),
        ("m:", "is none of"),
        ("no_such_module:X", "there is no module 'no_such_module' in the current"),
        ("tests.nowhere:X", "there is no module 'tests.nowhere'"),
        (f"{MODULE}:Nope", f"{MODULE} has no attribute 'Nope'"),
        (f"{MODULE}:Package.Nope", f"{MODULE} has no attribute 'Package.Nope'"),
    ],
)
def test_wrong_name_is_a_usage_error(target: str, message: str) -> None:
    """The message says what is missing, in one line."""
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        made(target)
    assert "\n" not in str(caught.value)


def test_target_that_cannot_be_made_is_an_interface_error() -> None:
    """A constructor that wants more, or raises, is named with its exception."""
    with pytest.raises(InterfaceError) as caught:
        made(theirs.NeedsMore)
    assert str(caught.value).startswith(
        f"{MODULE}:NeedsMore could not be made: TypeError: "
    )
    assert "secret" in str(caught.value)
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (f"{MODULE}:make_nothing", "NoneType"),
        (f"{MODULE}:Package.not_an_interface", "int"),
        (theirs.make_nothing, "NoneType"),
    ],
)
def test_target_that_is_no_interface_is_refused(target: object, kind: str) -> None:
    """What offers nothing to read is refused before anything is called."""
    with pytest.raises(InterfaceError, match=rf"\({kind}\) has no get_generator\(\)"):
        replay(cassette(sse(text("a"), finish())), target)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ValueError('boom')", "ValueError: boom"),
        ("import no_such_dependency", "ModuleNotFoundError: No module named"),
        ("def f(:", "SyntaxError: "),
    ],
)
def test_module_that_fails_to_import_is_an_interface_error(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's module is at fault, and its own error is shown."""
    (tmp_path / "faulty_interface.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "faulty_interface", raising=False)
    with pytest.raises(InterfaceError) as caught:
        made("faulty_interface:X")
    assert "importing faulty_interface failed: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("streaming", "streaming"),
        ("m:N.x", "m:N.x"),
        (StreamingServerInterface, "streaming"),
        (StreamingServerInterface(), "streaming"),
        (QueuingInterface(), "queuing"),
        (theirs.ListInterface, f"{MODULE}:ListInterface"),
        (theirs.ListInterface(), f"{MODULE}:ListInterface"),
        (theirs.Package.Inner, f"{MODULE}:Package.Inner"),
        (theirs.make_event_interface, f"{MODULE}:make_event_interface"),
        (functools.partial(theirs.Choosy, True), f"{MODULE}:Choosy"),
    ],
)
def test_interface_has_a_name_that_finds_it_again(target: object, name: str) -> None:
    """A transcript calls an interface as the command line would take it."""
    assert name_of(target) == name


def test_options_of_an_object_go_first() -> None:
    """The agent agrees with what the interface object says of itself."""
    default = AgentOptions(assistant_function="speak", assistant_argument="words")
    ours = StreamingServerInterface(
        multi_step=False,
        use_assistant_message=True,
        assistant_message_function_name="x",
    )
    assert AgentOptions.of(ours, default) == AgentOptions(
        use_assistant_message=True,
        assistant_function="x",
        assistant_argument="message",
        multi_step=False,
    )
    assert AgentOptions.of(theirs.ListInterface(), default) == default
    single = AgentOptions(multi_step=False)
    assert AgentOptions.of(theirs.EventInterface(multi_step=True), single) == single
