"""Races of what people do against the start of a delivery."""
