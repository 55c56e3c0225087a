"""Conformance cases: read, put to a server, compared, reported, recorded.

The formats are in `own`, `oracle`, `toast` and `moot`; how a server is reached in
`servers` and `inprocess`; `command` is ``pymoo conform``.  Nothing here knows what
an answer ought to be: that is in the cases.
"""
