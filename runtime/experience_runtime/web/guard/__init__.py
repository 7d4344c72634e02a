"""The guard: who may ask what, how often, and what refusals look like."""
