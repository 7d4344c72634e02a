"""PostgreSQL: a server of our own, many processes, and what can happen to both."""
