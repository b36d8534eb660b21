"""A stream read piece by piece through each client that is intercepted.

Each function takes a URL, a function to acknowledge pieces with, and the most pieces to
read. It returns the pieces and how the stream ended: `complete`, `closed`, or the name
of the exception and what it said.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3
from httpx_aiohttp import AiohttpTransport

from tests.record.servers import REQUEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Result = tuple[list[bytes], str]
Acknowledge = "Callable[[int], None]"
PATH = "/v1/chat/completions"
BODY = json.dumps(REQUEST).encode()
HEADERS = {"content-type": "application/json"}


def _read(
    pieces: Iterator[bytes], acknowledge: Callable[[int], None], most: int
) -> Result:
    read: list[bytes] = []
    try:
        for piece in pieces:
            read.append(piece)
            acknowledge(len(read) - 1)
            if len(read) == most:
                return read, "closed"
    except Exception as error:  # noqa: BLE001 - whatever the client raises is the result
        return read, _told(error)
    return read, "complete"


async def _aread(
    pieces: AsyncIterator[bytes], acknowledge: Callable[[int], None], most: int
) -> Result:
    read: list[bytes] = []
    try:
        async for piece in pieces:
            read.append(piece)
            acknowledge(len(read) - 1)
            if len(read) == most:
                return read, "closed"
    except Exception as error:  # noqa: BLE001 - whatever the client raises is the result
        return read, _told(error)
    return read, "complete"


def _told(error: Exception) -> str:
    # Objects in messages have addresses that differ each time.
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(error).__name__}: {error}")


def _read1(response: Any) -> Iterator[bytes]:
    while piece := response.read1(65536):
        yield piece


def by_requests(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by requests."""
    with (
        requests.Session() as session,
        session.post(url + PATH, data=BODY, headers=HEADERS, stream=True) as response,
    ):
        return _read(response.iter_content(None), acknowledge, most)


def by_urllib3(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by urllib3, which requests is made of."""
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "POST", url + PATH, body=BODY, headers=HEADERS, preload_content=False
        )
        try:
            return _read(response.stream(None), acknowledge, most)
        finally:
            response.close()


def by_urllib(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by urllib."""
    request = urllib.request.Request(url + PATH, data=BODY, headers=HEADERS)
    with urllib.request.urlopen(request) as response:
        return _read(_read1(response), acknowledge, most)


def by_http_client(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by the client below urllib."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("POST", PATH, body=BODY, headers=HEADERS)
    with connection.getresponse() as response:
        result = _read(_read1(response), acknowledge, most)
    connection.close()
    return result


def by_aiohttp(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by aiohttp."""

    async def read() -> Result:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url + PATH, data=BODY, headers=HEADERS) as response,
        ):
            return await _aread(response.content.iter_any(), acknowledge, most)

    return asyncio.run(read())


def by_httpx_aiohttp(url: str, acknowledge: Any, most: int = 99) -> Result:
    """Read by httpx over aiohttp, which is to be intercepted once."""

    async def read() -> Result:
        async with (
            httpx.AsyncClient(transport=AiohttpTransport(), verify=False) as client,
            client.stream("POST", url + PATH, content=BODY, headers=HEADERS) as answer,
        ):
            return await _aread(answer.aiter_raw(), acknowledge, most)

    return asyncio.run(read())


READERS = [
    by_requests,
    by_urllib3,
    by_urllib,
    by_http_client,
    by_aiohttp,
    by_httpx_aiohttp,
]
