"""Dialects: how one provider frames what another frames differently.

A dialect is a value that prints, parses back and composes (`parse_dialect`). It writes
a recorded stream as another provider would have sent it, so that one recording can
be replayed as any provider. It has a chunk side (`Dialect.apply`) and a wire side
(`Dialect.framing`); `encode_stream` does both.
"""
