"""Scripts: an author's files, read, placed, checked and explained; nothing runs here."""
