from .bot import WeatherBot
from .stream import parse_stream
