"""The table: what is promised, row by row; the one place where goals stand."""

from __future__ import annotations

from tests.benchmarks.measuring import Kind, Row

_JITER = "~4-character fragments, against jiter's parse of the text so far"
_RUST = "~4-character fragments, against streaming-json-parser (Rust)"
_REPLAY = "file to typed messages, against vcrpy and the OpenAI SDK"

ROWS = (
    Row(
        "plain",
        "plain fragment inside the message, against the seed handler's branches",
        *(Kind.COST, 0.6, "plain", "ours", "seed"),
    ),
    Row(
        "mixed",
        "mixed ~4-character fragments, 20 KB, against a no-op method call",
        *(Kind.COST, 4, "mixed", "ours", "no-op"),
    ),
    Row(
        "growth",
        "cost per fragment, 2 MB of arguments against 20 KB of the same words",
        *(Kind.COST, 1.05, "mixed", "long", "ours"),
    ),
    Row("jiter-2k", f"{_JITER}, 2 KB", Kind.SPEEDUP, 6, "jiter-2k", "ours", "jiter"),
    Row(
        "jiter-20k", f"{_JITER}, 20 KB", Kind.SPEEDUP, 35, "jiter-20k", "ours", "jiter"
    ),
    Row(
        "jiter-200k",
        f"{_JITER}, 200 KB",
        *(Kind.SPEEDUP, 330, "jiter-200k", "ours", "jiter"),
    ),
    Row("rust-200", f"{_RUST}, 200 B", Kind.SPEEDUP, 1, "rust-200", "ours", "rust"),
    Row("rust-2k", f"{_RUST}, 2 KB", Kind.SPEEDUP, 1.4, "rust-2k", "ours", "rust"),
    Row("rust-20k", f"{_RUST}, 20 KB", Kind.SPEEDUP, 2, "rust-20k", "ours", "rust"),
    Row("rust-200k", f"{_RUST}, 200 KB", Kind.SPEEDUP, 6, "rust-200k", "ours", "rust"),
    Row(
        "one-fragment",
        "one fragment of 200 KB, against json.loads",
        *(Kind.COST, 2, "one", "ours", "json.loads"),
    ),
    Row(
        "chunks",
        "bytes to parsed chunks, against OpenAI SDK iteration",
        *(Kind.SPEEDUP, 20, "chunks", "ours", "sdk"),
    ),
    Row(
        "replay-200",
        f"{_REPLAY}, 200 chunks",
        *(Kind.SPEEDUP, 14, "replay", "ours 200", "peer 200"),
    ),
    Row(
        "replay-2000",
        f"{_REPLAY}, 2 000 chunks",
        *(Kind.SPEEDUP, 18, "replay", "ours 2000", "peer 2000"),
    ),
    Row(
        "replay-20000",
        f"{_REPLAY}, 20 000 chunks",
        *(Kind.SPEEDUP, 18, "replay", "ours 20000", "peer 20000"),
    ),
    Row(
        "replay-growth",
        "cost per chunk of that, 20 000 chunks against 2 000",
        *(Kind.COST, 1.1, "replay", "ours 20000", "ours 2000"),
    ),
    Row(
        "replay-again-2000",
        "the same cassette again, already loaded, 2 000 chunks",
        *(Kind.SPEEDUP, 25, "replay", "again 2000", "peer 2000"),
    ),
    Row(
        "replay-again",
        "the same cassette again, already loaded, 20 000 chunks",
        *(Kind.SPEEDUP, 25, "replay", "again 20000", "peer 20000"),
    ),
    Row(
        "recorded",
        "file to typed messages, recorded by harness with the time of each chunk, "
        "against the same by vcrpy, 2 000 chunks",
        *(Kind.COST, 1.3, "replay", "recorded", "ours 2000"),
    ),
    Row(
        "script",
        "file to typed messages, against a script (yaml, orjson) that joins text, "
        "2 000 chunks",
        *(Kind.COST, 1.5, "replay", "ours 2000", "script"),
    ),
    Row(
        "corpus",
        "streams as long as recordings are (median 21 chunks), four APIs, whole replay",
        # A million of them in 0.3 hours of one core.
        *(Kind.RATE, 926, "corpus", "ours"),
    ),
    *(
        Row(
            f"api-{api}",
            f"an event of {title} to typed messages, against a chat chunk",
            *(Kind.COST, 1.3, "apis", api, "chat"),
        )
        for api, title in (
            ("responses", "Responses"),
            ("anthropic", "Messages"),
            ("gemini", "Gemini"),
        )
    ),
    *(
        Row(
            f"restated-{api}",
            f"a chat chunk restated as {title}, against the same in a chat dialect",
            *(Kind.COST, 1.5, "restated", api, "chat"),
        )
        for api, title in (
            ("responses", "Responses"),
            ("anthropic", "Messages"),
            ("gemini", "Gemini"),
        )
    ),
    Row(
        "loading",
        "loading a cassette, against yaml.load with CSafeLoader",
        *(Kind.COST, 1.05, "loading", "ours", "yaml"),
    ),
    Row(
        "fuzz-arguments",
        "fuzz examples: 200 characters through the argument machine",
        *(Kind.RATE, 20_000, "fuzzing", "texts"),
    ),
    Row(
        "fuzz-streams",
        "fuzz examples: 50 chunks through the streaming interface",
        *(Kind.RATE, 4_000, "fuzzing", "streams"),
    ),
    Row(
        "import",
        "`import harness`, CPU above bare Python",
        *(Kind.ABOVE, 40, "starting", "import", "python"),
    ),
    Row(
        "help",
        "`harness --help`, CPU above bare Python",
        *(Kind.ABOVE, 120, "starting", "help", "python"),
    ),
    Row(
        "first-output",
        "`harness replay`, 200 chunks: from Enter to its first line, by the clock",
        *(Kind.SECONDS, 0.3, "showing", "title"),
    ),
    Row(
        "first-emission",
        "the same to the first row of a message, by the clock",
        *(Kind.SECONDS, 0.15, "showing", "emission"),
    ),
    Row(
        "whole-run",
        "the same to the end of the process, CPU",
        *(Kind.SECONDS, 0.12, "showing", "end"),
    ),
)
"""The test suite's time is `report.suite`."""
