"""Tests of the integrations that come with the runtime."""
