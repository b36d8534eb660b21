"""OpenAI Chat Completions; `harness.apis.base` describes the modules of this folder."""
