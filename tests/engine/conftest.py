"""The stores of these tests."""

from support.stores import engine, engine_url, postgres_store, sqlite_template, sqlite_url

__all__ = ["engine", "engine_url", "postgres_store", "sqlite_template", "sqlite_url"]
