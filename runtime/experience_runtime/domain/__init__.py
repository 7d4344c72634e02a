"""The rules: pure functions of values. Time is always an argument."""
