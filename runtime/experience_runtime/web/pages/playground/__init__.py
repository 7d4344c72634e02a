"""The playground: simulate in a page."""
