"""Everything that knows the wire format of an API; one folder an API, alike inside."""
