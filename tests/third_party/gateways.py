"""`python -m tests.third_party.gateways`: what the fuzzer found in a real gateway.

LiteLLM's proxy of a pinned release is started as `harness fuzz --gateway` starts it,
and each finding's cassette is served to it. Installed where it is missing
(`environments.py`).
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness import load_cassette
from harness.fuzz.gateway import GatewayConsumer
from harness.fuzz.judge import Judge
from tests.third_party.environments import around, folder_of

if TYPE_CHECKING:
    from harness.fuzz.fuzz_inputs import FuzzInput

__all__ = ["FINDINGS", "PACKAGES", "Finding", "input_of"]

PACKAGES = ("litellm[proxy]==1.108.7",)
CASSETTES = Path(__file__).parent / "gateways"


class Finding(NamedTuple):
    """One defect of LiteLLM's proxy; its cassette has the same name."""

    name: str
    asked: str
    served: str
    model: str
    relation: str
    shows: str
    """A part of the kind of the failure."""


FINDINGS = [
    Finding(
        "litellm-1",
        "chat",
        "chat",
        "openai/model",
        "agreement",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-2",
        "chat",
        "chat",
        "openai/model",
        "dialect-invariance",
        "GatewayError",
    ),
    Finding(
        "litellm-3",
        "chat",
        "chat",
        "openai/model",
        "truncation",
        "is shown as complete",
    ),
    Finding(
        "litellm-4",
        "chat",
        "anthropic",
        "anthropic/model",
        "agreement",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-5",
        "chat",
        "anthropic",
        "anthropic/model",
        "agreement",
        "differs in the number of calls",
    ),
    Finding(
        "litellm-6",
        "chat",
        "anthropic",
        "anthropic/model",
        "truncation",
        "is shown as complete",
    ),
    Finding(
        "litellm-7",
        "chat",
        "anthropic",
        "anthropic/model",
        "agreement",
        "differs in the arguments of calls",
    ),
    Finding(
        "litellm-8",
        "chat",
        "anthropic",
        "anthropic/model",
        "agreement",
        "the gateway, status 500, TypeError",
    ),
    Finding(
        "litellm-9",
        "anthropic",
        "chat",
        "hosted_vllm/model",
        "agreement",
        "the gateway, an error event, Hosted_vllmException",
    ),
    Finding(
        "litellm-10",
        "anthropic",
        "chat",
        "hosted_vllm/model",
        "agreement",
        "the gateway, an error event",
    ),
    Finding(
        "litellm-11",
        "anthropic",
        "chat",
        "hosted_vllm/model",
        "dialect-invariance",
        "differs in the number of calls",
    ),
    Finding(
        "litellm-12",
        "anthropic",
        "chat",
        "hosted_vllm/model",
        "dialect-invariance",
        "differs in the names of calls",
    ),
    Finding(
        "litellm-13",
        "anthropic",
        "chat",
        "hosted_vllm/model",
        "dialect-invariance",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-14",
        "chat",
        "responses",
        "openai/responses/gpt-4o",
        "agreement",
        "differs in the text 'reasoning'",
    ),
    Finding(
        "litellm-15",
        "chat",
        "responses",
        "openai/responses/gpt-4o",
        "agreement",
        "differs in the arguments of calls",
    ),
    Finding(
        "litellm-16",
        "chat",
        "responses",
        "openai/responses/gpt-4o",
        "agreement",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-17",
        "chat",
        "responses",
        "openai/responses/gpt-4o",
        "agreement",
        "the gateway, an error event, OpenAIException",
    ),
    Finding(
        "litellm-18",
        "responses",
        "anthropic",
        "anthropic/model",
        "agreement",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-19",
        "responses",
        "anthropic",
        "anthropic/model",
        "truncation",
        "is shown as complete",
    ),
    Finding(
        "litellm-20",
        "responses",
        "anthropic",
        "anthropic/model",
        "agreement",
        "differs in the arguments of calls",
    ),
    Finding(
        "litellm-21",
        "responses",
        "chat",
        "deepseek/deepseek-chat",
        "agreement",
        "differs in the text 'content'",
    ),
    Finding(
        "litellm-22",
        "responses",
        "chat",
        "deepseek/deepseek-chat",
        "agreement",
        "differs in the arguments of calls",
    ),
    Finding(
        "litellm-23",
        "responses",
        "chat",
        "deepseek/deepseek-chat",
        "agreement",
        "differs in the names of calls",
    ),
    Finding(
        "litellm-24",
        "responses",
        "chat",
        "deepseek/deepseek-chat",
        "agreement",
        "differs in the number of calls",
    ),
]


def input_of(cassette: Path) -> FuzzInput:
    """Return the pieces of a cassette's answer."""
    response = load_cassette(cassette).exchanges[0].response
    pieces, start = [], 0
    for chunk in response.wire or ():
        pieces.append(response.body[start : start + chunk.size])
        start += chunk.size
    return tuple(pieces)


def _kind(judge: Judge, finding: Finding) -> str:
    fed = input_of(CASSETTES / f"{finding.name}.yaml")
    if finding.relation == "truncation":  # its cassette lacks the end
        outcome = judge.run(fed)
        return "" if outcome.raised or not outcome.endings else finding.shows
    failure = judge.judge(finding.relation, fed)
    return "" if failure is None else failure.kind


def main() -> int:
    """Print for each finding whether it is still there."""
    folder = folder_of(*PACKAGES)
    os.environ |= {
        **around(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    gone = 0
    for asked, served, model in dict.fromkeys(one[1:4] for one in FINDINGS):
        base = "{upstream}" if served == "anthropic" else "{upstream}/v1"
        program = [sys.executable, str(folder / "bin" / "litellm"), "--model", model]
        command = shlex.join([*program, "--host", "127.0.0.1", "--telemetry", "False"])
        command += f" --api_base {base} --port {{port}}"
        with GatewayConsumer(command, asked, served, model=model, timeout_s=15) as one:
            judge = Judge(one)
            for finding in FINDINGS:
                if finding[1:4] != (asked, served, model):
                    continue
                kind = _kind(judge, finding)
                is_there = bool(kind) and finding.shows in kind
                gone += not is_there
                found = "there" if is_there else "gone "
                print(f"{found} {finding.name}: {kind}", flush=True)
    return bool(gone)


if __name__ == "__main__":
    sys.exit(main())
