"""Tests of the engine, in a small world."""
