"""What the recorded requests hold: conversations, and the results of tools.

The cassette is the whole truth: a tool is never run again. Its result is what the
next recorded request carries in the turns that it adds. Which result belongs to which
call is seen from the assistant turn of that request, which repeats the calls: clients
and gateways rewrite ids and reorder results, but both turns of one request agree.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from harness.apis.detect import api_named, api_of_request
from harness.apis.json_values import canonical, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
    from harness.cassettes.model import Exchange, Request
    from harness.core.parts import ToolCall

_LOOKED_AHEAD = 20  # requests: an agent has no more conversations at once


class ToolResult(NamedTuple):
    """The recorded result of one tool call."""

    text: str
    """Verbatim; the parts of a list joined."""
    has_failed: bool | None = None
    """As the API's own field states it; None where it has none."""
    is_guessed: bool = False
    """Whether it was paired by its position alone."""
    beside: tuple[str, ...] = ()
    """The kinds of the parts that are not in `text`, such as `image`."""

    @property
    def is_error(self) -> bool:
        """Whether the tool failed.

        The API's own field decides; where it has none, a JSON object with
        `status: "Failed"` or a non-null `error` is an error.
        """
        if self.has_failed is not None:
            return self.has_failed
        if not self.text.lstrip().startswith("{"):
            return False
        value = parsed(self.text, strict=True)
        return isinstance(value, dict) and (
            value.get("status") == "Failed" or value.get("error") is not None
        )


def conversation_of(request: Request, api: str = "") -> Conversation | None:
    """Return what a request carried.

    Args:
        request: The request.
        api: Whose answer came back; where it is empty the request decides.

    Returns:
        The conversation; None where the request was not recorded or carried none.
    """
    body = request.json()
    if not isinstance(body, dict):
        return None
    asked = api_named(api) if api else api_of_request(request.uri, body)
    if asked is None:
        return None
    conversation = asked.request(request.uri, body)
    return conversation if conversation.turns else None


class RequestReader:
    """Reads the requests of one replay; each is asked for several times in a row."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str], Conversation | None] = {}  # two at most

    def __call__(self, exchange: Exchange, api: str) -> Conversation | None:
        """Return what `conversation_of` does."""
        place = exchange.index, api
        if place not in self._last:
            if len(self._last) > 1:
                del self._last[min(self._last)]
            self._last[place] = conversation_of(exchange.request, api)
        return self._last[place]


class Answer(NamedTuple):
    """What a later request may take up of an answer."""

    id: str = ""
    """Named by requests of an API that keeps turns on the server."""
    calls: Sequence[ToolCall] = ()


_NO_ANSWER = Answer()


def continues(
    earlier: Conversation | None,
    later: Conversation | None,
    answer: Answer = _NO_ANSWER,
) -> bool:
    """Return whether a request goes on where an earlier one stopped.

    Args:
        earlier: The earlier request; None if unknown.
        later: The later one; None if unknown.
        answer: The earlier one's.

    Returns:
        Whether `later` names that answer, or begins with all turns of `earlier` and
        adds to them, or holds the results of its calls. Two unknown requests do not
        continue each other.
    """
    return _added(earlier, later, answer) is not None


def _added(
    earlier: Conversation | None, later: Conversation | None, answer: Answer
) -> tuple[Turn, ...] | None:
    if later is None:
        return None
    if later.previous_id:
        if later.previous_id == answer.id:
            return later.turns
        if earlier is None or later.previous_id != earlier.previous_id:
            return None
    elif earlier is not None and len(later.turns) > len(earlier.turns):
        known = len(earlier.turns)
        if all(
            one.own == other.own
            for one, other in zip(earlier.turns, later.turns[:known], strict=True)
        ):
            return later.turns[known:]
    if not answer.calls or (earlier is not None and later.turns == earlier.turns):
        return None  # or asked again: nothing was answered yet
    return _answering(answer.calls, later.turns)


def _answering(
    calls: Sequence[ToolCall], turns: tuple[Turn, ...]
) -> tuple[Turn, ...] | None:
    """Return the turns from the calls on that a request repeats last.

    So a conversation is known again whose beginning was written anew: a system message
    with the time or the agent's memory, old turns that were left out or summarized, or
    turns that the server keeps (`conversation`, `item_reference`).
    """
    for place in reversed(range(len(turns))):
        asked = turns[place].calls
        if asked:
            pairs = zip(calls, _repeated(calls, asked), strict=True)
            same = len(asked) == len(calls) and all(
                one is not None
                and (call.id == one.id or not (call.id and one.id))
                and _has_arguments(call, one)
                for call, one in pairs
            )
            return turns[place:] if same else None
    answered = {output.call_id for turn in turns for output in turn.outputs}
    return turns if all(c.id and c.id in answered for c in calls) else None


def added_turns(
    exchange: Exchange,
    later: Iterable[Exchange],
    api: str = "",
    *,
    answer: Answer = _NO_ANSWER,
    read: Callable[[Exchange, str], Conversation | None],
) -> tuple[Turn, ...]:
    """Return the turns that the next request adds to those of an exchange.

    Requests of other conversations may stand between them: agents ask for titles,
    summaries and subtasks meanwhile.

    Args:
        exchange: The exchange whose response asked for tools.
        later: The exchanges after it, in order, failed ones included: a request
            carries its results whether or not it was answered.
        api: Whose answer the exchange is.
        answer: That answer.
        read: Reads the requests.

    Returns:
        The added turns; empty if no later request continues this one.
    """
    earlier = read(exchange, api)
    asked = (read(candidate, api) for candidate in later)
    known = (one for one in asked if one is not None)
    for conversation in islice(known, _LOOKED_AHEAD):
        added = _added(earlier, conversation, answer)
        if added is not None:
            return added
        if earlier is not None and conversation.turns == earlier.turns:
            break  # asked again: that answer is the one that goes on
    return ()


def results_for(
    calls: Sequence[ToolCall], turns: Sequence[Turn]
) -> list[ToolResult | None]:
    """Find the recorded result of each call of a response.

    Args:
        calls: The calls in order; ids are empty where none came.
        turns: The turns that the next request adds.

    Returns:
        One entry a call: its result, None if not recorded. A call is found in the
        assistant turn by id, name and arguments or position, and that turn's id leads
        to the result; where ids do not lead, the position among what is left does,
        and the result is marked as guessed.
    """
    outputs = [output for turn in turns for output in turn.outputs]
    repeated = _repeated(calls, [c for turn in turns for c in turn.calls])
    free = list(range(len(outputs)))
    found: list[ToolResult | None] = [None] * len(calls)

    def take(position: int, index: int, *, is_guessed: bool) -> None:
        output = outputs[index]
        found[position] = ToolResult(
            output.text, output.is_error, is_guessed, output.beside
        )
        free.remove(index)

    for position, call in enumerate(calls):
        known = repeated[position]
        for call_id in (known.id if known is not None else "", call.id):
            index = _only(outputs, call_id)
            if index in free:
                take(position, index, is_guessed=False)
                break
    for position, call in enumerate(calls):
        if found[position] is None and free:
            named = [n for n in free if outputs[n].name == call.name]
            # Gemini has no ids: the name decides where only one has it.
            is_sure = len(named) == 1 and sum(c.name == call.name for c in calls) == 1
            # A lone leftover is still the next one.
            take(
                position,
                (named or free)[0],
                is_guessed=not is_sure and (len(calls) > 1 or len(outputs) > 1),
            )
    return found


def _only(outputs: Sequence[ToolOutput], call_id: str) -> int:
    """Return the index of the one output that has an id; -1 if none or several."""
    found = [n for n, output in enumerate(outputs) if output.call_id == call_id]
    return found[0] if call_id and len(found) == 1 else -1


def _repeated(
    calls: Sequence[ToolCall], asked: Sequence[RequestedCall]
) -> list[RequestedCall | None]:
    """Find each call of a response in the assistant turn of the next request."""
    free = list(asked)
    found: list[RequestedCall | None] = [None] * len(calls)
    for is_same in (_has_id, _has_arguments, _has_name):
        for position, call in enumerate(calls):
            if found[position] is None:
                match = [one for one in free if is_same(call, one)]
                # Equal calls come back in their order.
                if match:
                    found[position] = match[0]
                    free.remove(match[0])
    return found


def _has_id(call: ToolCall, one: RequestedCall) -> bool:
    return bool(call.id) and call.id == one.id


def _has_arguments(call: ToolCall, one: RequestedCall) -> bool:
    same = canonical(call.arguments or "{}") == canonical(one.arguments or "{}")
    return same and _has_name(call, one)


def _has_name(call: ToolCall, one: RequestedCall) -> bool:
    return call.name == one.name


def question_of(request: Request, api: str) -> str:
    """Return what the newest turn of a request asks.

    Args:
        request: The request.
        api: Whose answer came back.

    Returns:
        The text of the last turn of the user, or the results of tools that came after
        it; empty where the request was not recorded or cannot be read.
    """
    conversation = conversation_of(request, api)
    turns: tuple[Turn, ...] = () if conversation is None else conversation.turns
    names = {call.id: call.name for turn in turns for call in turn.calls if call.id}
    for turn in turns[::-1]:
        if turn.outputs:
            named = [(one.name or names.get(one.call_id), one) for one in turn.outputs]
            return "\n".join(
                f"result of {name or 'a tool'}: "
                + " ".join([one.text, *(f"[{kind}]" for kind in one.beside)]).lstrip()
                for name, one in named
            )
        if turn.role == "user" and turn.text:
            return turn.text
    return ""
