"""From what a caller names to a consumer that can be run: which level, which form.

Nothing needs to be written for the fuzzer: the level is chosen by what the target
offers. Three attributes of a target, or of its class, are read where they are there:

- `documented_errors`: exception classes that it means to raise on a broken stream;
- `outcome`: a function from the list of what it emitted (and returned) to a value
  that means the same for every way to cut a stream;
- `json_key`: of a handler, the key whose text it returns.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from harness.agents.letta.streaming import StreamingServerInterface
from harness.engine.agent_options import AgentOptions
from harness.engine.targets import import_named, make_interface
from harness.errors import InterfaceError, UsageError
from harness.fuzz.called_consumers import (
    BytesConsumer,
    ChunksConsumer,
    fed,
    must_take_one,
)
from harness.fuzz.example_runner import (
    Consumer,
    HandlerConsumer,
    InterfaceConsumer,
    Level,
    OwnInterface,
    StepInterface,
    fresh,
)
from harness.net import require_h11

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.served_streams import UrlConsumer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller knows about a target beyond its name."""

    level: Level | None = None
    """None chooses it by what the target offers."""
    form: str | None = None
    """A chunk as a plain `dict`, as the OpenAI SDK's object (`sdk`) or ours (`model`);
    None reads the annotation, else `dict`."""
    key: str | None = None
    """A handler's key; None takes its `json_key`, else `message`."""
    options: AgentOptions = field(default_factory=AgentOptions)
    """What an interface is made with."""
    apis: tuple[str, ...] = ()
    """The APIs whose events it takes; none reads the annotation, else chat."""


def import_target(name: str) -> object:
    """Import what `MODULE:NAME` names; ``streaming`` and ``queuing`` are ours.

    Args:
        name: As the command line takes it; the current folder is importable.

    Returns:
        The object; a name without colon as it is.

    Raises:
        UsageError: There is no such module or attribute, or importing it failed.
    """
    if name in {"streaming", "queuing"}:
        return name
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: the current folder counts
    own = ("streaming", "queuing")
    try:
        return import_named(name, "target", own, "my_agent.stream:Reader")
    except InterfaceError as error:
        raise UsageError(str(error)) from error


def consumer_of(target: object, name: str, wanted: Wanted | None = None) -> Consumer:
    """Find out how a target is to be fed.

    Args:
        target: A class, a factory, an object or a function; or one of our names.
        name: How findings call it.
        wanted: What the caller knows about it.

    Returns:
        The consumer.

    Raises:
        UsageError: It offers nothing that can be fed, or not what was asked for.
    """
    wanted = wanted or Wanted()
    if isinstance(target, Consumer):
        return target
    if isinstance(target, str):
        target = import_target(target)
    sample, make = _sample(target, name, wanted)
    level = wanted.level or _level_of(sample)
    if level is None:
        raise UsageError(
            f"{name} ({type(sample).__name__}) has no process_json_chunk(), no "
            "process_chunk() with get_generator() or to_list(), no feed(), and cannot "
            "be called: nothing can be fed to it"
        )
    if wanted.apis and wanted.apis != ("chat",) and level not in _OF_ANY_API:
        raise UsageError(
            f"--api {','.join(wanted.apis)}: {name} is fed as {level}, which is chat; "
            "other APIs need --as events, --as bytes or --as url"
        )
    outcome = getattr(sample, "outcome", None)
    kept: dict[str, Any] = {
        "documented": _documented(sample, name),
        "outcome": outcome if callable(outcome) else None,
    }
    match level:
        case Level.HANDLER:
            _must(hasattr(sample, "process_json_chunk"), name, "process_json_chunk()")
            return HandlerConsumer(make, name, **kept)
        case Level.INTERFACE:
            return _interface(sample, make, name, kept)
        case Level.CHUNKS | Level.BYTES | Level.URL:
            if not callable(sample) and hasattr(sample, "feed"):
                sample, make = sample.feed, fed(make)
            _must(callable(sample), name, "a call or feed()")
            called = _called(level, sample, make, name, wanted, kept)
            called.apis = wanted.apis or _vendors(sample) or ("chat",)
            called.names_api = "api" in _parameters(sample)
            must_take_one(sample, name, names_api=called.names_api)
            return called


def key_of(consumer: Consumer, wanted: Wanted) -> str:
    """Return the key whose text a handler is asked for."""
    if wanted.key is not None:
        return wanted.key
    if isinstance(consumer, HandlerConsumer):
        key = getattr(consumer.make(), "json_key", None)
        if isinstance(key, str):
            return key
    return "message"


def _must(offers: object, name: str, what: str) -> None:
    if not offers:
        raise UsageError(f"{name} does not offer {what}, which this level needs")


def _sample(target: object, name: str, wanted: Wanted) -> tuple[Any, Callable[[], Any]]:
    """Return one object to look at, and what makes a fresh one."""
    if target in {"streaming", "queuing"} or inspect.isclass(target):
        make = _maker(target, wanted)
        return make(), make
    if inspect.isroutine(target):
        is_maker = wanted.level in {None, Level.HANDLER, Level.INTERFACE}
        if is_maker and _is_factory(target):
            make = _maker(target, wanted)
            return make(), make
        return target, lambda: target
    return target, fresh(target, name)


def _maker(target: Any, wanted: Wanted) -> Callable[[], Any]:
    accepted, arguments = _parameters(target), wanted.options.to_arguments()
    if wanted.key is not None and "json_key" in accepted:
        return lambda: target(json_key=wanted.key)
    if target == "streaming" or target is StreamingServerInterface:
        return lambda: StreamingServerInterface(**arguments)
    if isinstance(target, str) or arguments.keys() & accepted.keys():
        return lambda: make_interface(target, wanted.options)
    make_interface(target, wanted.options)  # its errors are one line each
    made: Callable[[], Any] = target
    return made


def _parameters(target: Any) -> dict[str, inspect.Parameter]:
    """Return what a callable takes; nothing of a builtin without a signature."""
    try:
        return dict(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        return {}


def _is_factory(target: Any) -> bool:
    """Return whether a routine can be called as it is, and returns at once."""
    waits = inspect.iscoroutinefunction, inspect.isasyncgenfunction
    if any(is_it(target) for is_it in (*waits, inspect.isgeneratorfunction)):
        return False
    return all(
        one.default is not one.empty
        or one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD}
        for one in _parameters(target).values()
    )


def _level_of(sample: Any) -> Level | None:
    if hasattr(sample, "process_json_chunk"):
        return Level.HANDLER
    if _is_interface(sample):
        return Level.INTERFACE
    call = sample if callable(sample) else getattr(sample, "feed", None)
    if not callable(call):
        return None
    first = _first(call)
    if first is not None:
        annotation = _annotation(first)
        if "bytes" in annotation:
            return Level.BYTES
        if first.name in {"base_url", "url"} or annotation == "str":
            return Level.URL
    return Level.CHUNKS


def _is_interface(sample: Any) -> bool:
    if inspect.isasyncgenfunction(getattr(sample, "process", None)):
        return True
    reads = hasattr(sample, "get_generator") or hasattr(sample, "to_list")
    return reads and (
        hasattr(sample, "process_chunk") or hasattr(sample, "function_message")
    )


def _first(sample: Any) -> inspect.Parameter | None:
    return next(iter(_parameters(sample).values()), None)


def _annotation(parameter: inspect.Parameter) -> str:
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _vendors(sample: Any) -> tuple[str, ...]:
    """Return the APIs whose SDK's types the first parameter is annotated with."""
    first = _first(sample)
    if first is None:
        return ()
    if isinstance(first.annotation, str):
        names = _API_OF_TYPE.items()
        return tuple(api for name, api in names if name in first.annotation)
    return tuple(dict.fromkeys(_apis_within(first.annotation)))


def _apis_within(annotation: Any) -> Iterator[str]:
    """Yield the APIs of the types that an annotation is made of."""
    for inner in get_args(annotation):
        yield from _apis_within(inner)
    module = str(getattr(annotation, "__module__", ""))
    if isinstance(annotation, type):
        for prefix, api in _API_OF_MODULE.items():
            if module.startswith(prefix):
                yield api
                return


_OF_ANY_API = (Level.CHUNKS, Level.BYTES, Level.URL)
_API_OF_MODULE = {
    "openai.types.chat": "chat",
    "openai.types.responses": "responses",
    "anthropic.types": "anthropic",
    "google.genai.types": "gemini",
}
_API_OF_TYPE = {
    "ChatCompletionChunk": "chat",
    "ResponseStreamEvent": "responses",
    "MessageStreamEvent": "anthropic",
    "GenerateContentResponse": "gemini",
}


def _is_async(sample: Any) -> bool:
    first = _first(sample)
    annotation = "" if first is None else _annotation(first)
    if annotation:
        return "Async" in annotation
    call = sample if inspect.isroutine(sample) else getattr(sample, "__call__", None)  # noqa: B004 - to look at it
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)


def _documented(sample: Any, name: str) -> tuple[type[BaseException], ...]:
    classes = getattr(sample, "documented_errors", ())
    if isinstance(classes, type):
        classes = (classes,)
    try:
        classes = tuple(classes)
        issubclass(Exception, classes)
    except TypeError:
        raise UsageError(
            f"{name}.documented_errors must be a tuple of exception classes"
        ) from None
    return classes


def _interface(
    sample: Any, make: Callable[[], Any], name: str, kept: dict[str, Any]
) -> Consumer:
    if hasattr(sample, "process") and not hasattr(sample, "get_generator"):
        return InterfaceConsumer(make, name, **kept)
    reads = hasattr(sample, "get_generator") or hasattr(sample, "to_list")
    _must(reads, name, "get_generator() or to_list()")
    kind = type(sample)
    if (
        isinstance(sample, StreamingServerInterface)
        and kind.process_chunk is StreamingServerInterface.process_chunk
    ):
        return OwnInterface(make, name, **kept)
    if hasattr(sample, "process_chunk"):
        return InterfaceConsumer(make, name, **kept)
    return StepInterface(make, name, **kept)


def _called(
    level: Level,
    sample: Any,
    make: Callable[[], Any],
    name: str,
    wanted: Wanted,
    kept: dict[str, Any],
) -> BytesConsumer | ChunksConsumer | UrlConsumer:
    if level is Level.URL:
        require_h11("a consumer that is given a URL", "serve")
        from harness.fuzz.served_streams import UrlConsumer  # threads and a socket

        return UrlConsumer(make, name, **kept)
    if level is Level.BYTES:
        consumer = BytesConsumer(make, name, **kept)
        consumer.is_async = _is_async(sample)
        return consumer
    form = wanted.form or ("sdk" if _vendors(sample) else "dict")
    return ChunksConsumer(make, name, form=form, is_async=_is_async(sample), **kept)
