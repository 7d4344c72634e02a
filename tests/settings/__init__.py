"""Tests of experience_runtime.settings."""
