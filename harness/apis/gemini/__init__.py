"""Gemini generateContent; `harness.apis.base` describes the modules of this folder."""
