"""Small consumers with one planted bug each, which the fuzzer must find."""
