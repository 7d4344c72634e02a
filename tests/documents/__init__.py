"""Tests of experience_runtime.documents."""
