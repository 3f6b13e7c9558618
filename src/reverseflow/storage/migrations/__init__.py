"""Alembic migrations; they ship with the package and run without an ini file."""
