"""The agent interfaces that streams are replayed through: Letta's two."""
