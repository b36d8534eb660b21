import pytest

from weatherbot import WeatherBot
from weatherbot.bot import TOOL, example

WEATHER = {"Rome": {"sky": "sun", "degrees": 21}, "Lima": {"sky": "sun", "degrees": 21},
           "Oslo": {"sky": "snow", "degrees": -3}}

ONE = [
    {"role": "user", "content": "What is the weather in Oslo?"},
    {"role": "assistant", "content": "", "tool_calls": [example(1, "Oslo")]},
    {"role": "tool", "content": '{"sky": "rain", "degrees": 4}',
     "tool_call_id": "call_example_1"},
    {"role": "assistant", "content": "It rains in Oslo, at 4 degrees."},
]
TWO = [
    {"role": "user", "content": "What is the weather in Oslo and in Lima?"},
    {"role": "assistant", "content": "",
     "tool_calls": [example(1, "Oslo"), example(2, "Lima")]},
    {"role": "tool", "content": '{"sky": "rain", "degrees": 4}',
     "tool_call_id": "call_example_1"},
    {"role": "tool", "content": '{"sky": "fog", "degrees": 17}',
     "tool_call_id": "call_example_2"},
    {"role": "assistant",
     "content": "Rain and 4 degrees in Oslo, fog and 17 degrees in Lima."},
]


@pytest.mark.harness("rome")
async def test_one_city():
    asked = []
    bot = WeatherBot(lambda city: asked.append(city) or WEATHER[city], ONE)
    said = await bot.ask("What is the weather in Rome?", tools=[TOOL], max_tokens=60,
                         tool_choice="auto")
    assert asked == ["Rome"]
    assert "21 degrees" in said


@pytest.mark.harness("two-cities")
async def test_two_cities_at_once():
    asked = []
    bot = WeatherBot(lambda city: asked.append(city) or WEATHER[city], TWO)
    await bot.ask("What is the weather in Rome and in Oslo?", tools=[TOOL],
                  max_tokens=80, tool_choice="required", parallel_tool_calls=True)
    assert asked == ["Lima", "Oslo"]
