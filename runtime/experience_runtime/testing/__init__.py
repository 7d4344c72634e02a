"""The door of integration builders: one call that tries an integration out."""

from experience_runtime.testing.check import check_integration

__all__ = ["check_integration"]
