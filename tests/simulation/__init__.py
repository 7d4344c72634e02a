"""Tests of experience_runtime.simulation."""
