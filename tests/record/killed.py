"""A process that records one cassette over another again and again, to be killed.

Arguments: the server's URL and the cassette. Each round rewrites the cassette with
two requests that name it; `saving` is printed before each save, so that the test can
strike while one is under way.
"""

from __future__ import annotations

import sys

import httpx

from harness.record import use_cassette


def main(url: str, path: str) -> None:
    """Record until killed."""
    with httpx.Client(verify=False) as client:
        for number in range(100_000):
            with use_cassette(path, "rewrite", force=True):
                for turn in range(2):
                    client.post(url, json={"round": number, "turn": turn})
                print("saving", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
