"""The core: pure values and functions; attrs and the standard library only.

Nothing in here reads a clock, a file or a database, and nothing in here knows of plugins.
"""
