"""The stores of these tests, and databases that are none yet."""

from support.stores import empty_url, engine, engine_url, postgres_store, sqlite_template, sqlite_url

__all__ = ["empty_url", "engine", "engine_url", "postgres_store", "sqlite_template", "sqlite_url"]
