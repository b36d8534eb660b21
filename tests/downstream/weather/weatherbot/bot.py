import json

from openai import AsyncOpenAI

from .stream import parse_stream

CITIES = ["Oslo", "Rome", "Lima"]
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Look up the weather of a city.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "enum": CITIES}}, "required": ["city"]}}}


def example(n, city):
    return {"id": f"call_example_{n}", "type": "function",
            "function": {"name": "get_weather", "arguments": json.dumps({"city": city})}}


class WeatherBot:
    def __init__(self, lookup, history, base_url="http://127.0.0.1:8101/v1"):
        self.client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
        self.lookup = lookup
        self.messages = [{"role": "system", "content": "You are a helpful assistant."},
                         *history]

    async def ask(self, question, **first):
        self.messages.append({"role": "user", "content": question})
        extra = first
        while True:
            stream = await self.client.chat.completions.create(
                model="smollm2-135m-instruct", stream=True, messages=self.messages,
                temperature=0, **extra)
            reply = await parse_stream(stream)
            self.messages.append(reply.asMessage())
            if not reply.order:
                return reply.text
            for call in reply.tool_calls():
                found = self.lookup(**json.loads(call["arguments"]))
                self.messages.append({"role": "tool", "tool_call_id": call["id"],
                                      "content": json.dumps(found)})
            if extra.get("tool_choice") == "required":
                extra = {"max_tokens": extra["max_tokens"]}
