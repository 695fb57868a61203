"""Persistence: tables, the database, migrations. Knows nothing of the rules of the rooms above.

May import the ground floor.

SQLite by default (WAL, synchronous FULL, BEGIN IMMEDIATE for writers), PostgreSQL by URL; the same tests run on both.
"""
