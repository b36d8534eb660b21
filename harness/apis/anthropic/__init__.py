"""Anthropic Messages; `harness.apis.base` describes the modules of this folder."""
