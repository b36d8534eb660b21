"""Secrets: what they look like, where they stand, and what replaces them."""
