"""Proving: many stories in one go, for the command line, for pytest and for a reader that is a program."""
