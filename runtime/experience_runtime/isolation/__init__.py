"""Isolation: integrations that are called in processes of their own, which can be ended."""
