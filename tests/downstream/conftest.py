"""The project in this folder is run by tests/packaging/test_downstream.py."""

collect_ignore = ["weather"]
