"""The API: what programs ask, under /v1."""
