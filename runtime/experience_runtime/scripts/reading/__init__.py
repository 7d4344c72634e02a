"""Reading: an author's files as trees, in a confined process. Nothing here runs in the host."""
