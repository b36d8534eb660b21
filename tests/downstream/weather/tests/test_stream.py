import pytest
from openai.types.chat import ChatCompletionChunk

from weatherbot.stream import parse_stream


async def read(chunks):
    reply = await parse_stream(chunks)
    return {"text": reply.text, "calls": reply.tool_calls()}


@pytest.mark.harness("*.yaml")
def test_however_it_arrives(harness_fuzz):
    harness_fuzz(read, chunks="sdk", relations=["split-invariance", "nothing-lost"])
