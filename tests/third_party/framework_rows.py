"""The rows of agent frameworks, as `client_rows.py` has those of clients."""

from __future__ import annotations

from typing import Any

from tests.third_party.client_rows import ROWS, Events, arow, every, messages, row

__all__ = ["ROWS"]


@arow("openai-agents", "openai-agents", "openai")
async def _agents(url: str, prompt: str) -> Events:
    # Its tracing is on, as it is by default.
    from agents import Agent, OpenAIChatCompletionsModel, Runner
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
    model = OpenAIChatCompletionsModel(model="m", openai_client=client)
    result = Runner.run_streamed(Agent(name="a", model=model), prompt)
    events = [str(event.type) for event in await every(result.stream_events())]
    await client.close()
    return [*events, str(result.final_output)]


@arow("pydantic-ai", "pydantic-ai-slim", "openai")
async def _pydantic_ai(url: str, prompt: str) -> Events:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=f"{url}/v1", api_key="unused")
    agent = Agent(OpenAIChatModel("m", provider=provider))
    async with agent.run_stream(prompt) as result:
        return await every(result.stream_text(delta=True, debounce_by=None))


@row("langchain-openai", "langchain-openai", "openai")
def _langchain(url: str, prompt: str) -> Events:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="m", max_retries=0)
    return [str(chunk.content) for chunk in model.stream(prompt)]


@arow("langgraph", "langgraph", "langchain-openai")
async def _langgraph(url: str, prompt: str) -> Events:
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, MessagesState, StateGraph

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="m", max_retries=0)

    async def call(state: Any) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("call", call)
    graph.add_edge(START, "call")
    graph.add_edge("call", END)
    events = graph.compile().astream(
        {"messages": [("user", prompt)]}, stream_mode="messages"
    )
    return [str(message.content) for message, _ in await every(events)]


@row("litellm", "litellm")
def _litellm(url: str, prompt: str) -> Events:
    import litellm

    stream = litellm.completion(
        model="openai/m",
        api_base=f"{url}/v1",
        api_key="unused",
        messages=messages(prompt),
        stream=True,
        num_retries=0,
    )
    return [str(chunk.choices[0].delta.content) for chunk in stream]


@arow("litellm, async, Anthropic", "litellm", "aiohttp")
async def _alitellm(url: str, prompt: str) -> Events:
    import litellm

    stream = await litellm.acompletion(
        model="anthropic/m",
        api_base=url,
        api_key="unused",
        messages=messages(prompt),
        stream=True,
        num_retries=0,
    )
    return [str(chunk.choices[0].delta.content) async for chunk in stream]


@row("instructor", "instructor", "openai")
def _instructor(url: str, prompt: str) -> Events:
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel

    class Answer(BaseModel):
        said: str

    raw = OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
    client = instructor.from_openai(raw, mode=instructor.Mode.JSON)
    stream = client.chat.completions.create_partial(
        model="m", messages=messages(prompt), response_model=Answer, max_retries=0
    )
    return [str(partial) for partial in stream]


@row("dspy", "dspy", "litellm")
def _dspy(url: str, prompt: str) -> Events:
    import dspy

    model = dspy.LM(
        "openai/m",
        api_base=f"{url}/v1",
        api_key="unused",
        cache=False,
        num_retries=0,
    )
    return [str(text) for text in model(prompt)]


@row("smolagents", "smolagents", "openai")
def _smolagents(url: str, prompt: str) -> Events:
    from smolagents import ChatMessage, MessageRole, OpenAIServerModel

    model = OpenAIServerModel("m", api_base=f"{url}/v1", api_key="unused")
    message = ChatMessage(role=MessageRole.USER, content=prompt)
    return [str(delta.content) for delta in model.generate_stream([message])]


@row("llama-index", "llama-index-llms-openai", "openai")
def _llama_index(url: str, prompt: str) -> Events:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    model = OpenAI("gpt-4o-mini", api_base=f"{url}/v1", api_key="unused", max_retries=0)
    stream = model.stream_chat([ChatMessage(role="user", content=prompt)])
    return [str(answer.delta) for answer in stream]


@arow("strands", "strands-agents", "openai")
async def _strands(url: str, prompt: str) -> Events:
    from strands import Agent
    from strands.models.openai import OpenAIModel

    given = {"base_url": f"{url}/v1", "api_key": "unused", "max_retries": 0}
    agent = Agent(
        model=OpenAIModel(client_args=given, model_id="m"), callback_handler=None
    )
    events = await every(agent.stream_async(prompt))
    return [str(event["data"]) for event in events if "data" in event]


@arow("autogen", "autogen-agentchat", "autogen-ext", "openai")
async def _autogen(url: str, prompt: str) -> Events:
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    can: Any = dict.fromkeys(
        ("vision", "function_calling", "json_output", "structured_output"), False
    )
    client = OpenAIChatCompletionClient(
        model="m",
        base_url=f"{url}/v1",
        api_key="unused",
        max_retries=0,
        model_info={**can, "family": "unknown"},
    )
    agent = AssistantAgent("a", model_client=client, model_client_stream=True)
    events = await every(agent.run_stream(task=prompt))
    await client.close()
    return [str(event.content) for event in events[:-1]]  # the last one is the result


@arow("agent-framework", "agent-framework-core", "agent-framework-openai", "openai")
async def _agent_framework(url: str, prompt: str) -> Events:
    from agent_framework import Agent
    from agent_framework.openai import OpenAIChatCompletionClient

    client = OpenAIChatCompletionClient("m", base_url=f"{url}/v1", api_key="unused")
    updates = Agent(client).run(prompt, stream=True)
    return [str(update.text) for update in await every(updates)]


@row("crewai", "crewai", "openai")
def _crewai(url: str, prompt: str) -> Events:
    # Its telemetry is on, as it is by default.
    from crewai import LLM, Agent, Crew, Task

    model = LLM("openai/m", base_url=f"{url}/v1", api_key="unused", stream=True)
    agent = Agent(role="r", goal="g", backstory="b", llm=model)
    task = Task(description=prompt, expected_output="text", agent=agent)
    crew: Any = Crew(agents=[agent], tasks=[task], stream=True)
    return [str(chunk.content) for chunk in crew.kickoff()]
