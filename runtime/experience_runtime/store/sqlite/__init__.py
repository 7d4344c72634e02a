"""SQLite: one file, one writing process."""
