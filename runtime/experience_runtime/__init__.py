"""Experience Runtime: run experience files safely and deliver what they schedule."""

__version__ = "0.1.0"
