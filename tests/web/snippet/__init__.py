"""The snippet, in a real browser."""
