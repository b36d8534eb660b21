"""Ollama's own API: `/api/chat` and `/api/generate`, a line of JSON for each event."""
