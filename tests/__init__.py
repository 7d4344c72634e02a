"""The tests: folders named as the packages they test, and `system` for the whole."""
