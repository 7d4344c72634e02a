"""Stores: where executions wait, and what is kept of them."""
