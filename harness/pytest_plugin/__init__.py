"""The parts of the pytest plugin, loaded when a test uses them.

`harness.pytest_plugin.plugin` is what pytest loads in every run; it imports nothing
from here until a test is marked or asks for a fixture.
"""
