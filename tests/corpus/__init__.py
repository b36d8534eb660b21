"""Corpora: packing, sweeping, and the engines behind both."""
