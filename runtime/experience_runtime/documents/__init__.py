"""Documents: what is stored, as the JSON that people and programs read."""
