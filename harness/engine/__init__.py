"""Replay: the agent loop over recorded exchanges, and the transcript it leaves.

`replay` holds the three entry points and is what to read first. The package is not
called `replay` because `harness.replay` is the function.
"""
