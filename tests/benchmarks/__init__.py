"""What speed is promised, measured: `python -m tests.benchmarks`."""
