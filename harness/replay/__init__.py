"""Replay: the agent loop over recorded exchanges, and the transcript it leaves."""
