"""Garbage in: recordings and requests that are wrong in every way, through everything.

`python -m tests.garbage` runs a campaign. Whatever comes out is documented: a result,
or an error of ours. `making` spoils inputs, `driving` puts one through everything.
"""
