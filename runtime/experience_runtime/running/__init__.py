"""Running: one experience for one visitor."""
