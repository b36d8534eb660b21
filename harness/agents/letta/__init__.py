"""The interfaces under test: agent calls and chunks in, typed messages out.

`base` is the protocol, `queuing` and `streaming` the two implementations,
`waiting` how their readers sleep. `assistant_calls` decides which tool calls are
the agent speaking; `chat_completion` shows a stream as OpenAI chunks. Where they
differ from the seed, on purpose: `tests/parity/README.md`, with a test each.
"""
