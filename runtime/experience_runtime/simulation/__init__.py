"""Simulation: the same engine in virtual time, and stories told against it."""
