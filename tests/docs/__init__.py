"""A package, so that the test can import what refresh_readme.py knows."""
