"""Everything the runtime does to executions, compared with a model that fits on a page."""
