"""The stream machines: bytes to events to chunks to deltas, and back.

Nothing in here does I/O, reads a clock or draws randomness; time and seeds come
in as arguments.
"""
