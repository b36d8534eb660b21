"""OpenAI Responses; `harness.apis.base` describes the modules of this folder."""
