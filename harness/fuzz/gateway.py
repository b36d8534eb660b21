"""A gateway under test: a process that takes requests of one API and asks another.

Its upstream is a server of ours that answers every request with the example. What its
client gets is read by the API's own reader, so a gateway is one more consumer, and all
relations, cuts, dialects, faults and shrinking are those of any other.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.apis.base import Conversation, Turn
from harness.apis.requests import PATHS, offered_tools, request_body
from harness.debug.outcomes import Outcome
from harness.errors import UsageError
from harness.fuzz.api_inputs import api_payloads
from harness.fuzz.example_runner import Consumer, Level
from harness.fuzz.fuzz_inputs import truth_of
from harness.fuzz.served_streams import StreamServer
from harness.net.client import BrokenStreamError, Upstream
from harness.net.threads import blocking_request

if TYPE_CHECKING:
    from collections.abc import Sequence

_START_S = 120.0
_STATUS = re.compile(r"status \d+|an error event")
_CAUSES = re.compile(r"\b[A-Z]\w*(?:Error|Exception)\b")
_TOOLS = ("get_weather", "get_time", "look", "first", "second", "note", "now")
_HIDDEN = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")


class GatewayError(Exception):
    """The gateway answered with an error, or not at all."""


class GatewayConsumer(Consumer, AbstractContextManager["GatewayConsumer"]):
    """A gateway; started by the first example, ended by `close`.

    Args:
        command: Starts it; ``{port}`` is the port that it must listen at,
            ``{upstream}`` the base URL of the upstream. Both are in the environment,
            too, as ``PORT``, ``OPENAI_BASE_URL`` and ``ANTHROPIC_BASE_URL``.
        asked: The API in which it is asked.
        served: The API of its upstream.
        model: The model of the requests.
        timeout_s: How long an example may take.
    """

    level = Level.URL

    def __init__(
        self,
        command: str,
        asked: str = "chat",
        served: str = "chat",
        *,
        model: str = "model",
        timeout_s: float = 5.0,
    ) -> None:
        super().__init__(lambda: None, f"gateway {command.split(maxsplit=1)[0]}")
        self.apis = (served,)
        self._command = command
        self._asked = asked
        self._model = model
        self._timeout_s = timeout_s
        self._upstream: StreamServer | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Serve the pieces upstream, ask the gateway, and read what it answers."""
        del is_beginning  # a client cannot distinguish the end from a beginning
        if self._process is None:
            self._start()
        assert self._upstream is not None
        self._upstream.pieces = fed
        try:
            body = self._ask()
        except GatewayError as error:
            return _refused(self.outcome_of([], None, error), error)
        truth = truth_of((body,), "", self._asked)
        kinds = {
            "content": truth.text,
            "reasoning": truth.reasoning,
            "refusal": truth.refusal,
        }
        texts = {kind: text for kind, text in kinds.items() if text}
        endings = {"finish": truth.finish} if truth.is_ended else {}
        return Outcome(texts, truth.calls, endings=endings)

    def close(self) -> None:
        """End the gateway and all that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    def _start(self) -> None:
        atexit.register(self.close)
        self._upstream = StreamServer()
        upstream = self._upstream.url
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        command = self._command.replace("{port}", str(port))
        command = command.replace("{upstream}", upstream)
        around = {k: v for k, v in os.environ.items() if k not in _HIDDEN}
        around |= {
            "PORT": str(port),
            "OPENAI_BASE_URL": f"{upstream}/v1",
            "OPENAI_API_BASE": f"{upstream}/v1",
            "ANTHROPIC_BASE_URL": upstream,
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_API_KEY": "none",
        }
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what the user asked for
                shlex.split(command),
                stdin=subprocess.DEVNULL,
                stdout=2,  # what it prints never mixes with our output
                env=around,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.close()
            raise UsageError(f"--gateway {command!r} cannot be run: {error}") from None
        self._await(port, command)

    def _await(self, port: int, command: str) -> None:
        assert self._process is not None
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            code = self._process.poll()
            if code is not None:
                self.close()
                raise UsageError(
                    f"--gateway {command!r} ended with exit code {code} before it "
                    f"listened at port {port}; its output is above"
                )
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        self.close()
        raise UsageError(
            f"--gateway {command!r} did not listen at port {port} of 127.0.0.1 within "
            f"{_START_S:g} s; give it the port by {{port}} or the variable PORT"
        )

    def _ask(self) -> bytes:
        api, turn = self._asked, Turn("user", "Found by harness fuzz.")
        body = request_body(api, Conversation((turn,), model=self._model))
        data = json.dumps(body | offered_tools(api, _TOOLS)).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(data))),
            ("authorization", "Bearer none"),
            ("x-api-key", "none"),
            ("anthropic-version", "2023-06-01"),
        ]
        try:
            with blocking_request(
                Upstream.parse(self._url),
                method="POST",
                target=PATHS[api].format(model=self._model),
                headers=headers,
                body=data,
                timeout_s=self._timeout_s,
            ) as answer:
                content = b"".join(answer.pieces())
        except BrokenStreamError as error:
            raise GatewayError(str(error)) from None
        if answer.head.status >= 400:
            text = content.decode("utf-8", "replace")
            raise GatewayError(f"status {answer.head.status}: {text[:2000]}")
        for payload in api_payloads((content,)):
            if payload.get("error") or payload.get("type") == "error":
                raise GatewayError(f"an error event: {json.dumps(payload)[:2000]}")
        return content


def _refused(outcome: Outcome, error: GatewayError) -> Outcome:
    """Distinguish errors by the status and the cause that they name, if any."""
    assert outcome.raised is not None
    status = _STATUS.match(str(error))
    cause = [status[0]] if status else []
    cause += _CAUSES.findall(str(error))[-1:]
    place = "the gateway" + "".join(f", {one}" for one in cause)
    return replace(outcome, raised=replace(outcome.raised, place=place))
