"""The web: HTTP in front of the verbs. It adds no rule of its own."""
