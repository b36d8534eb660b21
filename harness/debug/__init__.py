"""Seeing why: explanations, differences, traces and pictures of one stream.

Owns what a person looks at when a stream has broken: nothing here changes a replay,
and nothing here is needed for one.
"""
