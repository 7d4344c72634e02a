"""Tests of the store: one suite for every adapter, and what only SQLite promises."""
