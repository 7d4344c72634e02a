"""The store's statements, migrations and connections on PostgreSQL."""
