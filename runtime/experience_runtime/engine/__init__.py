"""The engine: from a request to a settled row."""
