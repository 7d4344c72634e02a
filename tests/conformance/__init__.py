"""Conformance: the guest's promises against Promises/A+."""
