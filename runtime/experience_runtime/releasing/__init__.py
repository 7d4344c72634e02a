"""Releasing: what must pass before an experience runs for visitors."""
