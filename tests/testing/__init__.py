"""Tests of experience_runtime.testing."""
