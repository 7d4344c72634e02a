"""Tests of HTTP on its way out, against real servers on loopback."""
