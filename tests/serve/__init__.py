"""Tests of `harness serve`: real clients, plain sockets, load."""
